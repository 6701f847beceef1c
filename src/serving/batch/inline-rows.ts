import { writeFile } from 'node:fs/promises';
import type { ModelManifest } from '../../contracts/models.ts';
import type { Prediction } from '../../contracts/prediction.ts';
import { MLFrameworkError } from '../../errors.ts';
import { batchOfRows, InvalidInputError } from '../input-rows.ts';
import type { BatchStepContext } from './batch-step.ts';
import type { InlineRow } from './batch-work.ts';
import { resultShape, scoredRows } from './scored-rows.ts';

/** The rows that came with the request are not there any more. */
export class InlineRowsMissingError extends MLFrameworkError {
  constructor() {
    super('BATCH_ROWS_MISSING', 'the rows of the request are gone; they are kept for a day, send them again');
  }
}

/** One entry of a JSON result: as an online answer has it, or why there is none. */
export type InlineResult =
  | Omit<Prediction, 'prediction_id' | 'request_id'>
  | { readonly error: { readonly code: string; readonly detail: string } };

type Where = Pick<BatchStepContext, 'tenant' | 'job' | 'files'>;

/** @throws {InlineRowsMissingError} */
export async function inlineRows({ tenant, job, files }: Where): Promise<InlineRow[]> {
  const bytes = await files.rows(tenant, job.job_id);
  if (bytes === undefined) throw new InlineRowsMissingError();
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as InlineRow[];
}

/** Scores rows as an online prediction would, one by one, so that a bad one spoils no other, and writes a JSON list. */
export async function scoreInlineRows(
  context: BatchStepContext,
  toFile: string,
): Promise<{ nRows: number; nFailedRows: number }> {
  const { tenant, job, versions, lastModel } = context;
  const rows = await inlineRows(context);
  const where = { tenant, model: job.batch.model_name, files: versions };
  const { manifest, model } = await lastModel.of(where, job.pinned);
  const results: InlineResult[] = [];
  let nFailedRows = 0;
  for (const row of rows) {
    try {
      const output = await model.run(batchOfRows(manifest.features, [row], false));
      results.push(resultOf(output, manifest, job.pinned.version));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      nFailedRows += 1;
      results.push({ error: { code: error.code, detail: error.message } });
    }
  }
  await writeFile(toFile, JSON.stringify(results));
  return { nRows: rows.length, nFailedRows };
}

function resultOf(
  output: Parameters<typeof scoredRows>[0],
  manifest: ModelManifest,
  model_version: string,
): InlineResult {
  const shape = resultShape(manifest, true);
  const scored = scoredRows(output, 1, manifest, shape, new Map());
  const about = { model_id: manifest.model_name, model_version };
  const { classes } = manifest;
  if (classes === undefined) return { prediction: scored.prediction[0]!, ...about };
  const confidence = scored.confidence![0]!;
  const probabilities = [...scored.probabilities![0]!];
  // The label itself: as a column it may have become text. Of NaNs the first, as there.
  const best = Math.max(0, probabilities.indexOf(confidence));
  return { prediction: classes[best]!, probabilities, confidence, ...about };
}
