import { TrainingError } from '../../errors.ts';
import { classificationMetrics } from '../../ml/metrics/classification-metrics.ts';
import { regressionMetrics } from '../../ml/metrics/regression-metrics.ts';
import { type ClassLabel, type PipelineModel, pipelineFromJSON } from '../../ml/pipeline.ts';
import { type Column, columnNamed, type Table, takeRows } from '../../ml/table.ts';
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
  const data = await context.table();
  const { test } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const target = columnNamed(data, job.request.target)!;
  return takeRows(
    data,
    test.filter((row) =>
      target.type === 'category' ? target.codes[row]! >= 0 : !Number.isNaN(target.values[row]!),
    ),
  );
}

/** @returns for each row the index of its class; -1 for a class that training never saw */
export function classIndices(column: Column, classes: readonly ClassLabel[]): Int32Array {
  if (column.type === 'category') {
    const indexOfCode = column.categories.map((category) => classes.indexOf(category));
    return column.codes.map((code) => indexOfCode[code] ?? -1);
  }
  const index = new Map(classes.map((label, i) => [Number(label), i]));
  return Int32Array.from(column.values, (value) => index.get(value) ?? -1);
}

/** Measures the model on the test part. */
export const evaluateStep: Step = async (context, state) => {
  const { tenant, job, workFiles } = context;
  const model = await fittedModel(context, state);
  let rows = await testRows(context, state);
  const target = () => columnNamed(rows, job.request.target)!;
  if (model.classes !== undefined) {
    // A class without a single train row cannot be predicted, and scikit-learn's metrics leave it out too.
    const known = classIndices(target(), model.classes);
    rows = takeRows(
      rows,
      Int32Array.from(known.keys()).filter((row) => known[row]! >= 0),
    );
  }
  if (rows.nRows === 0) {
    throw new TrainingError(
      'EMPTY_TEST_SPLIT',
      'no row of the test part has a target; send more rows or raise test_size',
    );
  }
  const predicted = model.predict(rows);
  const column = target();
  const metrics =
    model.classes !== undefined
      ? classificationMetrics(classIndices(column, model.classes), predicted.probabilities!, model.classes)
      : regressionMetrics(column.type === 'category' ? new Float64Array() : column.values, predicted.values!);
  const finite = Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
  const evaluation: Evaluation = { metrics: finite };
  const ref = await workFiles.put(
    tenant,
    job.job_id,
    'evaluation.json',
    Buffer.from(JSON.stringify(evaluation)),
  );
  return { ...state, evaluation: ref };
};
