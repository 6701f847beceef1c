/** One algorithm with its hyperparameters, and how it did: data, so that each can be evaluated anywhere. */
import { MLFrameworkError } from '../../errors.ts';
import type { HyperparameterValue, HyperparameterValues } from '../hyperparameter.ts';
import type { Task } from '../pipeline-model.ts';
import type { Table } from '../table.ts';
import {
  type CrossValidationResult,
  crossValidate,
  type Resumable,
  type SelectionHooks,
} from './cross-validate.ts';
import type { Splitter } from './splitter.ts';

/** What a candidate is in the race for. */
export type Role = 'naive' | 'linear' | 'candidate';

/** JSON-safe. */
export interface Candidate {
  readonly id: string;
  readonly role: Role;
  readonly algorithm: string;
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  /** Of candidates that are equally good the one with the least wins. */
  readonly complexity: number;
  /** Successive halving: what this evaluation may use of the whole. @default - all of it */
  readonly resource?: { readonly kind: 'rows' | 'n_estimators'; readonly share: number };
}

/** What all candidates of a race have in common; JSON-safe. */
export interface Race {
  readonly task: Task;
  readonly target: string;
  /** A name of `metricTable`. */
  readonly metric: string;
  readonly splitter: Splitter;
  readonly randomState: number;
  /** Columns that decide the folds but are not learnt from. */
  readonly unlearnt?: readonly string[];
}

/** JSON-safe. */
export type CandidateResult =
  | {
      readonly status: 'measured';
      readonly candidate: Candidate;
      /** The race's metric per fold. */
      readonly scores: readonly number[];
      readonly cv_mean: Readonly<Record<string, number>>;
      readonly cv_std: Readonly<Record<string, number>>;
      readonly n_folds: number;
      /** To fit and to predict in all folds. */
      readonly seconds?: number;
    }
  | {
      readonly status: 'failed';
      readonly candidate: Candidate;
      readonly error: { readonly code: string; readonly message: string };
    };

/**
 * Cross-validates one candidate. One that cannot be fitted is a result, too: the race goes on without it.
 * @param checkpoint - of an earlier call with the same arguments that ended with `done: false`.
 */
export function evaluateCandidate(
  table: Table,
  race: Race,
  candidate: Candidate,
  hooks: SelectionHooks = {},
  checkpoint?: unknown,
): Resumable<CandidateResult> {
  const spec = {
    task: race.task,
    target: race.target,
    algorithm: candidate.algorithm,
    hyperparameters: resourced(candidate),
    randomState: race.randomState,
  };
  const options = {
    ...(race.unlearnt === undefined ? {} : { unlearnt: race.unlearnt }),
    ...(candidate.resource?.kind === 'rows' ? { trainFraction: candidate.resource.share } : {}),
  };
  try {
    const outcome = crossValidate(table, spec, race.splitter, hooks, options, checkpoint);
    return outcome.done ? { done: true, result: measured(candidate, race, outcome.result) } : outcome;
  } catch (error) {
    if (!(error instanceof MLFrameworkError)) throw error;
    const { code, message } = error;
    return { done: true, result: { status: 'failed', candidate, error: { code, message } } };
  }
}

function resourced({ hyperparameters, resource }: Candidate): HyperparameterValues {
  const values: HyperparameterValues = hyperparameters;
  if (resource?.kind !== 'n_estimators') return values;
  const whole = (values.n_estimators as number | undefined) ?? 100;
  return { ...values, n_estimators: Math.max(1, Math.round(whole * resource.share)) };
}

function measured(candidate: Candidate, race: Race, result: CrossValidationResult): CandidateResult {
  const { folds, cv_mean, cv_std } = result;
  const scores = folds.map(({ metrics }) => metrics[race.metric]);
  if (!scores.every((score) => score !== undefined && Number.isFinite(score))) {
    return {
      status: 'failed',
      candidate,
      error: {
        code: 'METRIC_NOT_MEASURED',
        message: `${race.metric} does not exist or is not finite in ${scores.filter((score) => !Number.isFinite(score)).length} of ${folds.length} folds`,
      },
    };
  }
  const seconds = folds.map((fold) => fold.seconds);
  return {
    status: 'measured',
    candidate,
    scores: scores as number[],
    cv_mean,
    cv_std,
    n_folds: folds.length,
    ...(seconds.every((one) => one !== undefined)
      ? { seconds: seconds.reduce((sum, one) => sum + one, 0) }
      : {}),
  };
}
