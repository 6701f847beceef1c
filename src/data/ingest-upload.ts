import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Dataset } from '../contracts/datasets.ts';
import type { UploadId } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { DatasetStore } from './dataset-store.ts';
import { ingestFile } from './ingest.ts';
import type { TabularEngine } from './tabular-engine.ts';
import { UploadNotFoundError, type UploadStore } from './upload-store.ts';
import { inWorkFolder } from './work-folder.ts';

/**
 * What the ingest job does: an upload becomes a dataset version, and its file goes.
 * @throws {UploadNotFoundError}
 * @throws {ValidationError} what `ingestFile` throws
 */
export async function ingestUpload(
  tenant: TenantContext,
  uploadId: UploadId,
  parts: {
    readonly uploads: UploadStore;
    readonly datasets: DatasetStore;
    readonly openEngine: (folder: string) => Promise<TabularEngine>;
    readonly clock: Clock;
  },
): Promise<Dataset> {
  const upload = await parts.uploads.get(tenant, uploadId);
  if (upload === undefined || 'import' in upload) throw new UploadNotFoundError(uploadId);
  const { format, compression, delimiter, name } = upload;
  const dataset = await inWorkFolder(parts.openEngine, async (folder, engine) => {
    const file = join(folder, 'source');
    await parts.uploads.fetch(tenant, upload, file);
    return ingestFile(tenant, { file, name, parse: { format, compression, delimiter } }, folder, {
      ...parts,
      engine,
    });
  });
  await parts.uploads.discard(tenant, upload);
  return dataset;
}
