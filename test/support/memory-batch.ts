import { readFile, writeFile } from 'node:fs/promises';
import type { JobId } from '../../src/contracts/names.ts';
import { createTable, type Table } from '../../src/ml/table.ts';
import type { BatchEngine, SourceRows } from '../../src/serving/batch/batch-engine.ts';
import type { BatchFiles, ResultFormat, ResultManifest } from '../../src/serving/batch/batch-files.ts';
import type { RowRange } from '../../src/serving/batch/parts.ts';
import type { ResultShape, ScoredRows } from '../../src/serving/batch/scored-rows.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';

/** Files of batch jobs in memory; the store itself is tested in `test/contract`. */
export class MemoryBatchFiles implements BatchFiles {
  /** By tenant, job and name, whether a part, rows, a result or its manifest. */
  readonly written = new Map<string, Buffer>();

  async hasPart(tenant: TenantContext, job: JobId, { from, count }: RowRange) {
    return this.written.has(`${tenant.tenantId}/${job}/${from}-${count}`);
  }

  async putPart(tenant: TenantContext, job: JobId, { from, count }: RowRange, file: string) {
    this.written.set(`${tenant.tenantId}/${job}/${from}-${count}`, await readFile(file));
  }

  async fetchPart(tenant: TenantContext, job: JobId, { from, count }: RowRange, toFile: string) {
    const bytes = this.written.get(`${tenant.tenantId}/${job}/${from}-${count}`);
    if (bytes !== undefined) await writeFile(toFile, bytes);
    return bytes !== undefined;
  }

  async putRows(tenant: TenantContext, job: JobId, rows: Uint8Array) {
    this.written.set(`${tenant.tenantId}/${job}/rows`, Buffer.from(rows));
  }

  async rows(tenant: TenantContext, job: JobId) {
    return this.written.get(`${tenant.tenantId}/${job}/rows`);
  }

  async putResult(tenant: TenantContext, manifest: ResultManifest, file: string) {
    const at = `${tenant.tenantId}/${manifest.job_id}`;
    this.written.set(`${at}/result.${manifest.format}`, await readFile(file));
    this.written.set(`${at}/manifest`, Buffer.from(JSON.stringify(manifest)));
  }

  async result(tenant: TenantContext, job: JobId) {
    const bytes = this.written.get(`${tenant.tenantId}/${job}/manifest`);
    return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as ResultManifest);
  }

  async link(tenant: TenantContext, job: JobId, format: ResultFormat) {
    return { url: `memory:${tenant.tenantId}/${job}/result.${format}`, expiresAtMs: 0 };
  }
}

/** Parts as JSON lines of what was scored; the rows are those of one table. */
export class MemoryBatchEngine implements BatchEngine {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async *tables({ range }: SourceRows, columns: readonly string[], rowsAtOnce: number) {
    for (let from = range.from; from < range.from + range.count; from += rowsAtOnce) {
      const to = Math.min(from + rowsAtOnce, range.from + range.count);
      yield createTable(
        columns.map((name) => {
          const column = this.#table.columns.find((one) => one.name === name)!;
          return column.type === 'category'
            ? { ...column, codes: column.codes.slice(from, to) }
            : { ...column, values: column.values.slice(from, to) };
        }),
      );
    }
  }

  async writePart(
    _source: SourceRows,
    _copied: 'all' | readonly string[],
    _shape: ResultShape,
    scored: AsyncIterable<ScoredRows>,
    partFile: string,
  ) {
    const lines: string[] = [];
    for await (const { nRows, prediction, errors } of scored) {
      for (let i = 0; i < nRows; i++)
        lines.push(JSON.stringify({ prediction: prediction[i], prediction_error: errors[i] }));
    }
    await writeFile(partFile, lines.join('\n'));
  }

  async assemble(partFiles: readonly string[], _format: 'parquet' | 'csv', resultFile: string) {
    const parts = await Promise.all(partFiles.map((file) => readFile(file, 'utf8')));
    const lines = parts.flatMap((part) => part.split('\n'));
    await writeFile(resultFile, lines.join('\n'));
    const failed = lines.filter((line) => JSON.parse(line).prediction_error !== null);
    return { nRows: lines.length, nFailedRows: failed.length };
  }

  close() {}
}
