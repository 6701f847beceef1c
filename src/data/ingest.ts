import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { type Clock, isoAt } from '../clock.ts';
import type { Dataset } from '../contracts/datasets.ts';
import type { DatasetId } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { DatasetStore } from './dataset-store.ts';
import { sha256OfFile } from './file-hash.ts';
import type { ParseOptions, TabularEngine } from './tabular-engine.ts';

/** Changes when the same bytes would be read differently: a new reading is a new version. */
const readerVersion = 2;

/**
 * Makes a dataset version of a local source file.
 * @returns the version; the same bytes read the same way give the same version, made once
 * @throws {ValidationError} MALFORMED_DATA, EMPTY_DATASET, UNSUPPORTED_COLUMN_TYPE, TOO_MANY_COLUMNS,
 *   DUPLICATE_COLUMN, DATASET_TOO_LARGE
 */
export async function ingestFile(
  tenant: TenantContext,
  source: { readonly file: string; readonly name?: string | undefined; readonly parse: ParseOptions },
  workFolder: string,
  parts: { readonly engine: TabularEngine; readonly datasets: DatasetStore; readonly clock: Clock },
): Promise<Dataset> {
  const id = await datasetIdOf(source.file, source.parse);
  const existing = await parts.datasets.get(tenant, id);
  if (existing !== undefined) return existing;
  const parquetFile = `${workFolder}/data.parquet`;
  const profile = await parts.engine.convertToParquet(source.file, source.parse, parquetFile);
  const dataset: Dataset = {
    dataset_id: id,
    ...(source.name === undefined ? {} : { name: source.name }),
    n_rows: profile.nRows,
    n_columns: profile.columns.length,
    columns: [...profile.columns],
    format: source.parse.format,
    source_bytes: (await stat(source.file)).size,
    parquet_bytes: (await stat(parquetFile)).size,
    parquet_sha256: await sha256OfFile(parquetFile),
    created_at: isoAt(parts.clock.nowMs()),
  };
  return parts.datasets.put(tenant, dataset, parquetFile);
}

/** The sha256 of canonical parse options and source bytes. */
async function datasetIdOf(
  file: string,
  { format, compression, delimiter }: ParseOptions,
): Promise<DatasetId> {
  const options = JSON.stringify({ readerVersion, format, compression, delimiter: delimiter ?? null });
  return (await sha256OfFile(file, createHash('sha256').update(options).update('\n'))) as DatasetId;
}
