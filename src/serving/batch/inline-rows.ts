import { writeFile } from 'node:fs/promises';
import { MLFrameworkError } from '../../errors.ts';
import { predictionsOf } from '../dialects/native.ts';
import { inputData, type Row, readableRows } from '../input-rows.ts';
import type { BatchStepContext } from './batch-step.ts';

/** The rows that came with the request are not there any more. */
export class InlineRowsMissingError extends MLFrameworkError {
  constructor() {
    super('BATCH_ROWS_MISSING', 'the rows of the request are gone; they are kept for a day, send them again');
  }
}

type Where = Pick<BatchStepContext, 'tenant' | 'job' | 'files'>;

/** @throws {InlineRowsMissingError} */
export async function inlineRows({ tenant, job, files }: Where): Promise<Row[]> {
  const bytes = await files.rows(tenant, job.job_id);
  if (bytes === undefined) throw new InlineRowsMissingError();
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Row[];
}

/**
 * Scores rows as an online prediction would, and writes a JSON list of what it would answer, in their order. A row that
 * cannot be read has its error there, and spoils no other.
 */
export async function scoreInlineRows(
  context: BatchStepContext,
  toFile: string,
): Promise<{ nRows: number; nFailedRows: number }> {
  const { tenant, job, versions, signatures, lastModel } = context;
  const { model_name } = job.batch;
  const rows = await inlineRows(context);
  const where = { tenant, model: model_name, files: versions, signatures };
  const { manifest, model } = await lastModel.of(where, job.pinned);
  const { batch, readable, refused } = readableRows(manifest.features, rows, {
    ...inputData(true),
    mayMiss: manifest.imported?.accepts_missing !== false,
  });
  const results: unknown[] = new Array(rows.length);
  for (const [row, { code, message, errors }] of refused) {
    results[row] = { error: { code, detail: message, errors } };
  }
  if (readable.length > 0) {
    const output = await model.run(batch);
    const predictions = predictionsOf({
      ...{ model: model_name, version: job.pinned.version, manifest, batch, output },
      // Rows of a batch are not in the log, to which an id would lead.
      ids: readable.map(() => ''),
      ...{ cache: 'miss', outputCache: undefined, explanations: undefined },
    });
    for (const [i, { prediction_id: _none, ...prediction }] of predictions.entries()) {
      results[readable[i]!] = prediction;
    }
  }
  await writeFile(toFile, JSON.stringify(results));
  return { nRows: rows.length, nFailedRows: refused.size };
}
