import type { CrossValidationResult, Leaderboard } from '../../contracts/selection.ts';
import type { Algorithm } from '../../contracts/training.ts';
import type { Candidate, CandidateResult } from '../../ml/model-selection/candidate.ts';
import { chooseWinner, withEliminated } from '../../ml/model-selection/choose-winner.ts';
import { onRung, promoted } from '../../ml/model-selection/successive-halving.ts';
import { storableMetrics } from '../storable-metrics.ts';
import { readJson, writeJson } from '../work-json.ts';
import { type Plan, planOf, withPlan } from './plan.ts';
import type { Step, StepContext, StepState } from './step.ts';

/** What came out of the race. */
export interface Selection {
  readonly chosen: { readonly algorithm: Algorithm; readonly hyperparameters: Record<string, unknown> };
  readonly leaderboard: Leaderboard;
  readonly cross_validation: CrossValidationResult;
}

/** A job shows the first; the version's manifest has all of them. */
const maxEntriesOfJob = 25;

export const selectionOf = (context: StepContext, state: StepState): Promise<Selection> =>
  readJson<Selection>(context, state.selection!);

/** Picks the winner, or those that go on to more rows. */
export const chooseStep: Step = async (context, state) => {
  const plan = await planOf(context, state);
  const results = await Promise.all(
    [...state.results!]
      .sort((a, b) => a.candidate - b.candidate)
      .map(({ candidate, result, crash }) =>
        result === undefined
          ? crashed(plan.candidates[candidate]!, crash)
          : readJson<CandidateResult>(context, result),
      ),
  );
  const next = plan.rungs[plan.rung + 1];
  if (next !== undefined) {
    const survivors = promoted(results, plan.race.metric, next);
    if (survivors.length > 0) {
      const going = new Set(survivors.map(({ id }) => id));
      return withPlan(context, state, {
        ...plan,
        candidates: onRung(survivors, next),
        rung: plan.rung + 1,
        eliminated: [...results.filter(({ candidate }) => !going.has(candidate.id)), ...plan.eliminated],
      });
    }
  }
  const selection = selectionFrom(plan, results);
  const { leaderboard } = selection;
  await context.jobs.record(context.tenant, context.job.job_id, {
    algorithm: selection.chosen.algorithm,
    leaderboard: { ...leaderboard, entries: leaderboard.entries.slice(0, maxEntriesOfJob) },
    cross_validation: selection.cross_validation,
  });
  const { plan: _plan, results: _results, candidates: _candidates, ...rest } = state;
  return { ...rest, selected: true, selection: await writeJson(context, 'selection.json', selection) };
};

const crashed = (candidate: Candidate, crash = 'unknown'): CandidateResult => ({
  status: 'failed',
  candidate,
  error: {
    code: 'STEP_CRASHED',
    message: `its function ended without an answer (${crash}), most often for lack of memory`,
  },
});

/** @throws TrainingError NO_CANDIDATE_MEASURED */
function selectionFrom(plan: Plan, results: readonly CandidateResult[]): Selection {
  const { race } = plan;
  const { winner, leaderboard, over_naive, over_linear } = withEliminated(
    chooseWinner(results, race.metric),
    plan.eliminated,
  );
  const best = results.find(({ candidate }) => candidate.id === winner.id)!;
  if (best.status === 'failed') throw new Error('a candidate that failed cannot win');
  return {
    chosen: { algorithm: winner.algorithm as Algorithm, hyperparameters: { ...winner.hyperparameters } },
    leaderboard: {
      metric: race.metric,
      ...(over_naive === undefined ? {} : { over_naive }),
      ...(over_linear === undefined ? {} : { over_linear }),
      n_candidates: leaderboard.length,
      entries: leaderboard.map((entry) => ({
        ...entry,
        hyperparameters: { ...entry.hyperparameters },
      })),
    },
    cross_validation: {
      kind: race.splitter.kind === 'shuffle' ? 'holdout' : race.splitter.kind,
      n_folds: best.n_folds,
      cv_mean: storableMetrics(best.cv_mean),
      cv_std: storableMetrics(best.cv_std),
    },
  };
}
