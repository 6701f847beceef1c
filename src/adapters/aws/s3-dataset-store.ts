import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Dataset, type DatasetSummary } from '../../contracts/datasets.ts';
import { DatasetId } from '../../contracts/names.ts';
import { DatasetDamagedError, DatasetNotFoundError, type DatasetStore } from '../../data/dataset-store.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import type { S3Objects } from './s3-objects.ts';

/** Datasets under the tenant's prefix: `<id>/<sha256>.parquet`, then `<id>/manifest.json`. */
export class S3DatasetStore implements DatasetStore {
  readonly #objects: S3Objects;

  constructor(objects: S3Objects) {
    this.#objects = objects;
  }

  async get(tenant: TenantContext, id: DatasetId): Promise<Dataset | undefined> {
    const bytes = await this.#objects.getBytes(tenant, objectKeys.datasetManifest(tenant, id));
    return bytes === undefined ? undefined : Dataset.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  }

  async list(tenant: TenantContext, page: { limit: number; cursor?: string }) {
    const prefix = objectKeys.datasets(tenant);
    const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, /^[0-9a-f]{64}$/);
    const { names, isLast } = await this.#objects.folders(tenant, prefix, {
      limit: page.limit,
      ...(after === undefined ? {} : { after }),
    });
    const ids = names.map((name) => DatasetId.parse(name));
    const datasets = await Promise.all(ids.map((id) => this.get(tenant, id)));
    const items = datasets
      // A Parquet without its manifest is a dataset that was never finished.
      .filter((dataset) => dataset !== undefined)
      .map(({ columns: _columns, ...summary }): DatasetSummary => summary);
    const last = ids.at(-1);
    return !isLast && last !== undefined ? { items, nextCursor: encodeCursor(last) } : { items };
  }

  async put(tenant: TenantContext, dataset: Dataset, parquetFile: string): Promise<Dataset> {
    const existing = await this.get(tenant, dataset.dataset_id);
    if (existing !== undefined) return existing;
    const parquetKey = objectKeys.datasetParquet(tenant, dataset.dataset_id, dataset.parquet_sha256);
    await this.#objects.putFile(tenant, parquetKey, parquetFile);
    const key = objectKeys.datasetManifest(tenant, dataset.dataset_id);
    const created = await this.#objects.createBytes(tenant, key, JSON.stringify(dataset), 'application/json');
    return created ? dataset : ((await this.get(tenant, dataset.dataset_id)) ?? dataset);
  }

  async fetchParquet(tenant: TenantContext, dataset: Dataset, toFile: string): Promise<number> {
    const key = objectKeys.datasetParquet(tenant, dataset.dataset_id, dataset.parquet_sha256);
    if (!(await this.#objects.getFile(tenant, key, toFile)))
      throw new DatasetNotFoundError(dataset.dataset_id);
    const hash = createHash('sha256');
    await pipeline(createReadStream(toFile), hash);
    if (hash.digest('hex') !== dataset.parquet_sha256) throw new DatasetDamagedError(dataset.dataset_id);
    return (await stat(toFile)).size;
  }
}
