import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchEngine, SourceRows } from './batch-engine.ts';
import { type BatchState, type BatchStepContext, BatchTimedOutError, batchProgressAt } from './batch-step.ts';
import { convertRows } from './convert-rows.ts';
import { type PartPlan, rangeOf, rowsDone } from './parts.ts';
import type { ScoringModel } from './pinned-version.ts';
import { datasetOf } from './plan.ts';
import { type ResultShape, resultShape, type ScoredRows, scoredRows } from './scored-rows.ts';

/** Rows that a graph is run on at once: enough for its best speed, a few megabytes for most models. */
const maxRowsAtOnce = 10_000;
/** Of a table in memory, so that wide datasets are read in fewer rows. */
const maxCellsAtOnce = 2_000_000;
/** Between two looks at whether the job is still wanted. */
const lookEveryMs = 5_000;

/** Scores one part, unless that has been done, and counts it. */
export async function score(context: BatchStepContext, state: BatchState): Promise<BatchState> {
  const { tenant, job, jobs, files } = context;
  const division: PartPlan = { n_rows: state.n_rows!, rows_per_part: state.rows_per_part! };
  const range = rangeOf(division, state.part!);
  // A function that was killed after it had written the part, or a run that was started again.
  if (!(await files.hasPart(tenant, job.job_id, range))) await scorePart(context, range);
  const done = await jobs.finishPart(tenant, job.job_id, state.part!);
  const share = rowsDone(division, done) / division.n_rows;
  const progress = batchProgressAt.score + share * (batchProgressAt.assemble - batchProgressAt.score);
  await jobs.progress(tenant, job.job_id, { step: 'score', progress });
  return {};
}

async function scorePart(context: BatchStepContext, range: SourceRows['range']): Promise<void> {
  const { tenant, job, files, versions, signatures, lastModel, keptDataset, openEngine } = context;
  const where = { tenant, model: job.batch.model_name, files: versions, signatures };
  const [scoring, { folder, parquetFile }] = [
    await lastModel.of(where, job.pinned),
    await keptDataset.of(tenant, await datasetOf(context)),
  ];
  const partFile = join(folder, 'part.parquet');
  const engine = await openEngine(folder);
  try {
    const source = { parquetFile, range };
    const shape = resultShape(scoring.manifest, job.batch.probabilities);
    const scored = scoredTables(context, engine, source, scoring, shape);
    await engine.writePart(source, job.batch.include_columns, shape, scored, partFile);
    await files.putPart(tenant, job.job_id, range, partFile);
  } finally {
    engine.close();
    await rm(partFile, { force: true });
  }
}

async function* scoredTables(
  { tenant, job, jobs, clock }: BatchStepContext,
  engine: BatchEngine,
  source: SourceRows,
  { manifest, model }: ScoringModel,
  shape: ResultShape,
): AsyncIterable<ScoredRows> {
  const { features } = manifest;
  const names = features.map(({ name }) => name);
  const cellsPerRow = Math.max(1, features.length + (manifest.classes?.length ?? 0));
  const rowsAtOnce = Math.max(100, Math.min(maxRowsAtOnce, Math.floor(maxCellsAtOnce / cellsPerRow)));
  let lookAtMs = clock.nowMs() + lookEveryMs;
  for await (const table of engine.tables(source, names, rowsAtOnce)) {
    if (clock.nowMs() >= lookAtMs) {
      if (clock.nowMs() >= Date.parse(job.deadline)) throw new BatchTimedOutError(job.deadline);
      await jobs.progress(tenant, job.job_id, { step: 'score', progress: batchProgressAt.score });
      lookAtMs = clock.nowMs() + lookEveryMs;
    }
    const { batch, failures } = convertRows(features, table);
    yield scoredRows(await model.run(batch), table.nRows, manifest, shape, failures);
  }
}
