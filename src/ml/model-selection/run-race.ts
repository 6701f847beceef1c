/** Whole races in one call. What evaluates candidates in parallel takes the same steps by itself. */
import type { Table } from '../table.ts';
import { type Candidate, type CandidateResult, evaluateCandidate, type Race } from './candidate.ts';
import { chooseWinner, type RaceResult, withEliminated } from './choose-winner.ts';
import type { Resumable, SelectionHooks } from './cross-validate.ts';
import { planSearch, type SearchPlan } from './plan-search.ts';
import { halvingRungs, onRung, promoted, type Rung } from './successive-halving.ts';

interface RaceState {
  readonly format: 'race-checkpoint-1';
  readonly candidates: readonly Candidate[];
  readonly rung: number;
  readonly results: readonly CandidateResult[];
  readonly eliminated: readonly CandidateResult[];
  readonly evaluation?: unknown;
}

/**
 * Evaluates one candidate after the other and chooses.
 * @param rungs - of successive halving. @default - one: every candidate has everything
 * @param checkpoint - of an earlier call with the same arguments that ended with `done: false`.
 */
export function runRace(
  table: Table,
  race: Race,
  candidates: readonly Candidate[],
  hooks: SelectionHooks = {},
  checkpoint?: unknown,
  rungs: readonly Rung[] = [{ n_candidates: candidates.length, share: 1 }],
): Resumable<RaceResult> {
  let state = (checkpoint as RaceState | undefined) ?? startOf(onRung(candidates, rungs[0]!));
  for (;;) {
    const { results, rung } = state;
    if (results.length === state.candidates.length) {
      const next = rungs[rung + 1];
      if (next === undefined) break;
      const going = promoted(results, race.metric, next);
      if (going.length === 0) break;
      const left = results.filter(({ candidate }) => !going.some(({ id }) => id === candidate.id));
      state = {
        ...startOf(onRung(going, next)),
        rung: rung + 1,
        eliminated: [...left, ...state.eliminated],
      };
      continue;
    }
    const done = (fraction: number) =>
      (rung + (results.length + fraction) / state.candidates.length) / rungs.length;
    const outcome = evaluateCandidate(
      table,
      race,
      state.candidates[results.length]!,
      { ...hooks, onProgress: (fraction) => hooks.onProgress?.(done(fraction)) },
      state.evaluation,
    );
    if (!outcome.done) return { done: false, checkpoint: { ...state, evaluation: outcome.checkpoint } };
    const { evaluation: _spent, ...rest } = state;
    state = { ...rest, results: [...results, outcome.result] };
  }
  const result = chooseWinner(state.results, race.metric);
  return { done: true, result: withEliminated(result, state.eliminated) };
}

function startOf(candidates: readonly Candidate[]): RaceState {
  return { format: 'race-checkpoint-1', candidates, rung: 0, results: [], eliminated: [] };
}

/**
 * A grid, random or successive-halving search over one algorithm's hyperparameters.
 * @param minShare - of the rows, that tells candidates apart in successive halving. @default 0.01
 */
export function searchHyperparameters(
  table: Table,
  race: Race,
  plan: SearchPlan,
  hooks: SelectionHooks = {},
  checkpoint?: unknown,
  minShare = 0.01,
): Resumable<RaceResult> {
  const candidates = planSearch(plan);
  const rungs =
    plan.method === 'halving' ? halvingRungs({ nCandidates: candidates.length, minShare }) : undefined;
  return runRace(table, race, candidates, hooks, checkpoint, rungs);
}
