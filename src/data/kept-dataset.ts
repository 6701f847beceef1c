import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../contracts/datasets.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { DatasetStore } from './dataset-store.ts';
import { newWorkFolder } from './work-folder.ts';

/**
 * The file of one dataset, kept while its process is warm: steps that read parts of it follow each other. The folder
 * holds nothing of any other dataset, so that an engine may see all of it.
 */
export class KeptDataset {
  readonly #datasets: DatasetStore;
  #kept: { readonly key: string; readonly folder: string } | undefined;

  constructor(datasets: DatasetStore) {
    this.#datasets = datasets;
  }

  /** @returns the folder, and the Parquet file in it */
  async of(tenant: TenantContext, dataset: Dataset): Promise<{ folder: string; parquetFile: string }> {
    const key = `${tenant.tenantId}/${dataset.dataset_id}/${dataset.parquet_sha256}`;
    if (this.#kept?.key !== key) {
      await this.forget();
      const folder = await newWorkFolder();
      try {
        await this.#datasets.fetchParquet(tenant, dataset, join(folder, 'data.parquet'));
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
      this.#kept = { key, folder };
    }
    const { folder } = this.#kept!;
    return { folder, parquetFile: join(folder, 'data.parquet') };
  }

  /** Makes room: the file is fetched again by whoever asks for it. */
  async forget(): Promise<void> {
    const folder = this.#kept?.folder;
    this.#kept = undefined;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
