import type { Baselines } from '../../contracts/selection.ts';
import { TrainingError } from '../../errors.ts';
import { modelMetrics } from '../../ml/metrics/score-model.ts';
import { autoCandidates } from '../../ml/model-selection/auto.ts';
import { fitPipeline, type PipelineModel, pipelineFromJSON } from '../../ml/pipeline.ts';
import { rowsWithTarget } from '../../ml/preprocessing/target.ts';
import { columnNamed, type Table, takeRows } from '../../ml/table.ts';
import { decodeSplit } from '../split-file.ts';
import { storableMetrics } from '../storable-metrics.ts';
import { readJson, writeJson } from '../work-json.ts';
import type { Step, StepContext, StepState } from './step.ts';

/** Metrics by the names that `metricTable` lists. */
export interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly baselines?: Baselines;
}

export async function fittedModel(context: StepContext, state: StepState): Promise<PipelineModel> {
  return pipelineFromJSON(await readJson<unknown>(context, state.model!));
}

/** @returns the test rows, less those whose target is missing */
export async function testRows(context: StepContext, state: StepState): Promise<Table> {
  const { tenant, job, workFiles } = context;
  const { test } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(await context.table(), test);
  return takeRows(rows, rowsWithTarget(columnNamed(rows, job.request.target)!));
}

/** Measures the model on the test part; where candidates were compared, the naive and the linear baseline, too. */
export const evaluateStep: Step = async (context, state) => {
  const { tenant, job, jobs } = context;
  const model = await fittedModel(context, state);
  const rows = await testRows(context, state);
  if (rows.nRows === 0) {
    throw new TrainingError(
      'EMPTY_TEST_SPLIT',
      'no row of the test part has a target; send more rows or raise test_size',
    );
  }
  // A regression on a category was refused by the validate step.
  const evaluation: Evaluation = { metrics: storableMetrics(modelMetrics(model, rows)) };
  if (state.selection === undefined) {
    return { ...state, evaluation: await writeJson(context, 'evaluation.json', evaluation) };
  }
  const baselines = await measuredBaselines(context, state, rows);
  await jobs.record(tenant, job.job_id, { baselines });
  return { ...state, evaluation: await writeJson(context, 'evaluation.json', { ...evaluation, baselines }) };
};

/** One that cannot be fitted, or not before this run has to stop, is left out: the model does not depend on it. */
async function measuredBaselines(context: StepContext, state: StepState, test: Table): Promise<Baselines> {
  const { tenant, job, workFiles, clock, stopAtMs, parallel } = context;
  const { model_type: task, target, random_state: randomState } = job.request;
  const { train } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(await context.table(), train);
  const measured: Baselines = {};
  for (const { role, algorithm } of autoCandidates(task!)) {
    if (role === 'candidate') continue;
    const spec = { task: task!, target, algorithm, hyperparameters: {}, randomState };
    try {
      const fit = fitPipeline(rows, spec, {
        shouldPause: () => clock.nowMs() >= stopAtMs,
        ...(parallel === undefined ? {} : { parallel }),
      });
      if (fit.done) measured[role] = { algorithm, metrics: storableMetrics(modelMetrics(fit.model, test)) };
    } catch (error) {
      if (!(error instanceof TrainingError)) throw error;
    }
  }
  return measured;
}
