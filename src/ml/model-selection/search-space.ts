/** What a search may try, as data: a distribution or a list of values per hyperparameter. */
import { ValidationError } from '../../errors.ts';
import { algorithmNamed, resolveHyperparameters } from '../algorithms.ts';
import type { HyperparameterValue } from '../hyperparameter.ts';
import type { Random } from '../random.ts';

export type Distribution =
  | { readonly type: 'uniform' | 'log_uniform'; readonly low: number; readonly high: number }
  /** Whole numbers, both ends included; `log` draws the small ones as often as the large ones. */
  | { readonly type: 'int'; readonly low: number; readonly high: number; readonly log?: boolean }
  | { readonly type: 'choice'; readonly values: readonly HyperparameterValue[] };

export type SearchSpace = Readonly<Record<string, Distribution>>;

/** Values that a grid takes from a distribution: both ends and the middle. */
const GRID_POINTS = 3;

export function drawFrom(distribution: Distribution, random: Random): HyperparameterValue {
  switch (distribution.type) {
    case 'choice':
      return distribution.values[random.nextInt(distribution.values.length)]!;
    case 'uniform':
      return between(distribution.low, distribution.high, random.nextFloat(), false);
    case 'log_uniform':
      return between(distribution.low, distribution.high, random.nextFloat(), true);
    case 'int': {
      const { low, high, log = false } = distribution;
      // The intervals of the whole numbers, each one wide.
      const drawn = between(low - 0.5, high + 0.5, random.nextFloat(), log && low > 0);
      return Math.min(high, Math.max(low, Math.round(drawn)));
    }
  }
}

export function gridOf(distribution: Distribution): HyperparameterValue[] {
  if (distribution.type === 'choice') return [...distribution.values];
  const { low, high } = distribution;
  const isLog =
    distribution.type === 'log_uniform' || (distribution.type === 'int' && distribution.log === true);
  const values = Array.from({ length: GRID_POINTS }, (_, i) =>
    between(low, high, i / (GRID_POINTS - 1), isLog && low > 0),
  );
  return [...new Set(distribution.type === 'int' ? values.map(Math.round) : values)];
}

function between(low: number, high: number, share: number, isLog: boolean): number {
  // The ends exactly, whatever the logarithm rounds to.
  if (share === 0) return low;
  if (share === 1) return high;
  return isLog ? low * (high / low) ** share : low + (high - low) * share;
}

/**
 * Every value that the space can give has to be one that the algorithm takes.
 * @throws ValidationError INVALID_SEARCH_SPACE for a broken distribution; UNKNOWN_HYPERPARAMETER and
 * INVALID_HYPERPARAMETER of the algorithm.
 */
export function checkSearchSpace(algorithm: string, space: SearchSpace): void {
  const { hyperparameters } = algorithmNamed(algorithm);
  for (const [name, distribution] of Object.entries(space)) {
    const problem = problemOf(distribution);
    if (problem !== undefined) {
      throw new ValidationError(`search space of ${name}: ${problem}`, {
        code: 'INVALID_SEARCH_SPACE',
        errors: [{ pointer: `/search/space/${name}`, detail: problem }],
      });
    }
    const values =
      distribution.type === 'choice' ? distribution.values : [distribution.low, distribution.high];
    for (const value of values) resolveHyperparameters(algorithm, { [name]: value });
    const parameter = hyperparameters.find((one) => one.name === name || one.aliases?.includes(name));
    if (parameter?.type === 'integer' && distribution.type !== 'choice' && distribution.type !== 'int') {
      const detail = `${name} takes whole numbers; use {"type": "int", "low": ${Math.round(distribution.low)}, "high": ${Math.round(distribution.high)}}`;
      throw new ValidationError(detail, {
        code: 'INVALID_SEARCH_SPACE',
        errors: [{ pointer: `/search/space/${name}`, detail }],
      });
    }
  }
}

function problemOf(distribution: Distribution): string | undefined {
  if (distribution.type === 'choice') {
    return distribution.values.length > 0 ? undefined : 'values must hold at least one value';
  }
  const { low, high } = distribution;
  if (!(low <= high)) return `low=${low} must be <= high=${high}`;
  if (distribution.type === 'log_uniform' && !(low > 0)) return `low=${low} must be > 0 for log_uniform`;
  if (distribution.type === 'int' && !(Number.isInteger(low) && Number.isInteger(high))) {
    return `low=${low} and high=${high} must be whole numbers for int`;
  }
  return undefined;
}
