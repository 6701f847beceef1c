import { autoMetric } from '../../ml/model-selection/auto.ts';
import type { Candidate, CandidateResult, Race } from '../../ml/model-selection/candidate.ts';
import { foldsOf } from '../../ml/model-selection/folds.ts';
import { halvingRungs, onRung, type Rung } from '../../ml/model-selection/successive-halving.ts';
import { classTarget } from '../../ml/preprocessing/target.ts';
import { columnNamed, takeRows } from '../../ml/table.ts';
import { candidatesOf, splitterOf, unlearntColumns } from '../selection-request.ts';
import { decodeSplit } from '../split-file.ts';
import { bytesOf, capacityBytes, dataOfTable, mebibyte, type TrainingData } from '../training-memory.ts';
import { readJson, writeJson } from '../work-json.ts';
import type { Step, StepContext, StepState } from './step.ts';

/** Fewer rows tell candidates apart no better than chance. */
const minRowsOnRung = 200;

/** Who is raced how; kept as a work file, so that the state machine passes numbers only. */
export interface Plan {
  readonly race: Race;
  readonly candidates: readonly Candidate[];
  /** One rung, unless many candidates are first tried on few rows. */
  readonly rungs: readonly Rung[];
  readonly rung: number;
  /** Those that earlier rungs left behind. */
  readonly eliminated: readonly CandidateResult[];
}

/**
 * Says which candidates are to be compared on which folds of the train part.
 * @throws TrainingError TOO_FEW_GROUPS, TIME_MISSING, TIME_NOT_ORDERED, INSUFFICIENT_SAMPLES where there are no folds
 */
export const planStep: Step = async (context, state) => {
  const { tenant, job, workFiles, tableWithFoldColumns } = context;
  const { request } = job;
  const task = request.model_type!;
  const { train } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const table = await tableWithFoldColumns();
  const rows = takeRows(table, train);
  const splitter = splitterOf(request, task, rows.nRows);
  const folds = foldsOf(rows, request.target, splitter);
  const target = columnNamed(rows, request.target)!;
  const nClasses = task === 'classification' ? classTarget(target).classes.length : undefined;
  const all = candidatesOf(request, task, nClasses);
  const data = dataOfTable(table, task, nClasses ?? 0);
  const capacity = capacityBytes[state.size!];
  // The one that there is was weighed when the function was chosen.
  const fits = (candidate: Candidate) => all.length === 1 || bytesOf(candidate, data) <= capacity;
  const candidates = all.filter(fits);
  const leastTrained = Math.min(...folds.map((fold) => fold.train.length));
  const rungs =
    request.search?.method === 'halving'
      ? halvingRungs({ nCandidates: candidates.length, minShare: minRowsOnRung / leastTrained })
      : [{ n_candidates: candidates.length, share: 1 }];
  const race: Race = {
    ...{ task, target: request.target, metric: autoMetric(task), splitter },
    randomState: request.random_state,
    unlearnt: unlearntColumns(request),
  };
  return withPlan(context, state, {
    ...{ race, rungs, rung: 0 },
    candidates: onRung(candidates, rungs[0]!),
    eliminated: all.filter((candidate) => !fits(candidate)).map((one) => tooLarge(one, data, capacity)),
  });
};

const tooLarge = (candidate: Candidate, data: TrainingData, capacity: number): CandidateResult => ({
  status: 'failed',
  candidate,
  error: {
    code: 'DATASET_TOO_LARGE',
    message: `it needs about ${Math.ceil(bytesOf(candidate, data) / mebibyte)} MiB, the function holds ${capacity / mebibyte} MiB`,
  },
});

/** The state from which the plan's candidates are evaluated. */
export async function withPlan(context: StepContext, state: StepState, plan: Plan): Promise<StepState> {
  const { results: _measured, ...rest } = state;
  return {
    ...rest,
    plan: await writeJson(context, 'plan.json', plan),
    candidates: [...plan.candidates.keys()],
    selected: false,
  };
}

export const planOf = (context: StepContext, state: StepState): Promise<Plan> =>
  readJson<Plan>(context, state.plan!);
