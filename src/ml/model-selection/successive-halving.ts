/**
 * Successive halving (Jamieson and Talwalkar 2016): many candidates with little, the best of them with more, until the
 * last few have all of it.
 */
import { ValidationError } from '../../errors.ts';
import { improvement } from '../metrics/metric-table.ts';
import type { Candidate, CandidateResult } from './candidate.ts';
import { meanOf } from './cross-validate.ts';

/** One round of evaluations; JSON-safe. */
export interface Rung {
  readonly n_candidates: number;
  /** Share of the resource that each candidate has. */
  readonly share: number;
}

export interface HalvingOptions {
  readonly nCandidates: number;
  /** Of the candidates of a rung one in `factor` goes on, with `factor` times the resource. @default 3 */
  readonly factor?: number;
  /** Least share of the resource that tells candidates apart. @default 0.01 */
  readonly minShare?: number;
}

/** From the first rung to the last, which has the whole resource. */
export function halvingRungs({ nCandidates, factor = 3, minShare = 0.01 }: HalvingOptions): Rung[] {
  if (!(factor > 1)) throw new ValidationError(`factor=${factor} must be > 1`);
  const byCandidates = Math.floor(Math.log(nCandidates) / Math.log(factor) + 1e-9);
  const byShare = Math.floor(Math.log(1 / Math.min(1, minShare)) / Math.log(factor) + 1e-9);
  const nSteps = Math.max(0, Math.min(byCandidates, byShare));
  return Array.from({ length: nSteps + 1 }, (_, i) => ({
    n_candidates: Math.max(1, Math.floor(nCandidates / factor ** i + 1e-9)),
    share: factor ** (i - nSteps),
  }));
}

/** The candidates with the share that the rung gives them. */
export function onRung(
  candidates: readonly Candidate[],
  rung: Rung,
  kind: 'rows' | 'n_estimators' = 'rows',
): Candidate[] {
  return candidates.map((candidate) => {
    const { resource: _before, ...whole } = candidate;
    return rung.share >= 1 ? whole : { ...whole, resource: { kind, share: rung.share } };
  });
}

/** The best of a rung by mean score, as many as the next one takes; of equals the earlier candidate. */
export function promoted(results: readonly CandidateResult[], metric: string, next: Rung): Candidate[] {
  return results
    .filter((result) => result.status === 'measured')
    .map((result, position) => ({ candidate: result.candidate, score: meanOf(result.scores), position }))
    .sort((a, b) => -improvement(metric, a.score, b.score) || a.position - b.position)
    .slice(0, next.n_candidates)
    .map(({ candidate }) => candidate);
}
