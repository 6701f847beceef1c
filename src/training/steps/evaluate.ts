import { TrainingError } from '../../errors.ts';
import { classificationMetrics } from '../../ml/metrics/classification-metrics.ts';
import { regressionMetrics } from '../../ml/metrics/regression-metrics.ts';
import { type PipelineModel, pipelineFromJSON } from '../../ml/pipeline.ts';
import { classTarget, rowsWithTarget } from '../../ml/preprocessing/target.ts';
import { columnNamed, type NumericColumn, type Table, takeRows } from '../../ml/table.ts';
import { decodeSplit } from '../split-file.ts';
import type { Step, StepContext, StepState } from './step.ts';

/** Metrics by the names that `metricTable` lists. */
export interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
}

export async function fittedModel(
  { tenant, job, workFiles }: StepContext,
  state: StepState,
): Promise<PipelineModel> {
  const bytes = await workFiles.get(tenant, job.job_id, state.model!);
  return pipelineFromJSON(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

/** @returns the test rows, less those whose target is missing */
export async function testRows(context: StepContext, state: StepState): Promise<Table> {
  const { tenant, job, workFiles } = context;
  const { test } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(await context.table(), test);
  return takeRows(rows, rowsWithTarget(columnNamed(rows, job.request.target)!));
}

/** Measures the model on the test part. */
export const evaluateStep: Step = async (context, state) => {
  const { tenant, job, workFiles } = context;
  const model = await fittedModel(context, state);
  const rows = await testRows(context, state);
  if (rows.nRows === 0) {
    throw new TrainingError(
      'EMPTY_TEST_SPLIT',
      'no row of the test part has a target; send more rows or raise test_size',
    );
  }
  const predicted = model.predict(rows);
  const target = columnNamed(rows, job.request.target)!;
  const metrics =
    model.classes !== undefined
      ? classificationMetrics(
          classTarget(target, model.classes).indices,
          predicted.probabilities!,
          model.classes,
        )
      : // A regression on a category was refused by the validate step.
        regressionMetrics((target as NumericColumn).values, predicted.values!);
  const storable = Object.entries(metrics)
    .filter(([, value]) => Number.isFinite(value))
    // DynamoDB holds no number that is nearer to 0 than 1e-130.
    .map(([name, value]) => [name, Math.abs(value) < 1e-100 ? 0 : value] as const);
  const evaluation: Evaluation = { metrics: Object.fromEntries(storable) };
  const ref = await workFiles.put(
    tenant,
    job.job_id,
    'evaluation.json',
    Buffer.from(JSON.stringify(evaluation)),
  );
  return { ...state, evaluation: ref };
};
