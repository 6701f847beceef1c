/** The candidates of a search over one algorithm's hyperparameters. */
import { ValidationError } from '../../errors.ts';
import { algorithmNamed } from '../algorithms.ts';
import type { HyperparameterValue } from '../hyperparameter.ts';
import { Random } from '../random.ts';
import type { Candidate } from './candidate.ts';
import { complexityOf } from './complexity.ts';
import { checkSearchSpace, drawFrom, gridOf, type SearchSpace } from './search-space.ts';
import { defaultSearchSpace } from './search-spaces.ts';

export interface SearchPlan {
  readonly algorithm: string;
  readonly method: 'grid' | 'random' | 'halving';
  /** Most candidates; a grid that has more is refused. */
  readonly nCandidates: number;
  /** @default - the algorithm's of `search-spaces.ts` */
  readonly space?: SearchSpace;
  /** Held fixed in every candidate. */
  readonly hyperparameters: Readonly<Record<string, HyperparameterValue>>;
  readonly randomState: number;
}

export const MAX_CANDIDATES = 200;

/**
 * The same plan gives the same candidates; the first of a random search is the algorithm with what is held fixed and
 * its defaults, so that a search cannot end behind them on the data it searches with.
 * @throws ValidationError GRID_TOO_LARGE, INVALID_SEARCH_SPACE, SEARCH_SPACE_NEEDED, UNKNOWN_HYPERPARAMETER,
 * INVALID_HYPERPARAMETER.
 */
export function planSearch(plan: SearchPlan): Candidate[] {
  const { algorithm, nCandidates, hyperparameters } = plan;
  if (!Number.isInteger(nCandidates) || nCandidates < 1 || nCandidates > MAX_CANDIDATES) {
    throw new ValidationError(`n_candidates=${nCandidates} must be an integer >= 1 and <= ${MAX_CANDIDATES}`);
  }
  const space = withoutFixed(plan.space ?? defaultSearchSpace(algorithm), plan);
  checkSearchSpace(algorithm, space);
  const settings = plan.method === 'grid' ? gridSettings(space, nCandidates) : randomSettings(space, plan);
  return settings.map((values, position) => ({
    id: `${algorithm}-${position + 1}`,
    role: 'candidate',
    algorithm,
    hyperparameters: { ...hyperparameters, ...values },
    complexity: complexityOf(algorithm),
  }));
}

/** What is held fixed is not searched, whichever of its names it is given by. */
function withoutFixed(space: SearchSpace, { algorithm, hyperparameters }: SearchPlan): SearchSpace {
  const parameters = algorithmNamed(algorithm).hyperparameters;
  const firstName = (name: string) =>
    parameters.find((one) => one.name === name || one.aliases?.includes(name))?.name ?? name;
  const fixed = new Set(Object.keys(hyperparameters).map(firstName));
  return Object.fromEntries(Object.entries(space).filter(([name]) => !fixed.has(firstName(name))));
}

type Settings = Record<string, HyperparameterValue>;

function gridSettings(space: SearchSpace, nCandidates: number): Settings[] {
  const axes = Object.entries(space).map(([name, distribution]) => ({ name, values: gridOf(distribution) }));
  const size = axes.reduce((product, { values }) => product * values.length, 1);
  if (size > nCandidates) {
    throw new ValidationError(
      `the grid has ${size} points (${axes.map(({ name, values }) => `${name} ${values.length}`).join(' × ')}) but n_candidates=${nCandidates}; raise n_candidates, give fewer values, or search at random`,
      { code: 'GRID_TOO_LARGE', evidence: { grid: size, n_candidates: nCandidates } },
    );
  }
  return axes.reduce<Settings[]>(
    (settings, { name, values }) =>
      settings.flatMap((setting) => values.map((value) => ({ ...setting, [name]: value }))),
    [{}],
  );
}

/** Distinct ones; fewer where the space has no more. */
function randomSettings(space: SearchSpace, { nCandidates, randomState }: SearchPlan): Settings[] {
  const random = new Random(randomState);
  const settings = new Map<string, Settings>([['{}', {}]]);
  for (let draw = 0; settings.size < nCandidates && draw < 20 * nCandidates; draw++) {
    const drawn = Object.fromEntries(
      Object.entries(space).map(([name, distribution]) => [name, drawFrom(distribution, random)]),
    );
    settings.set(JSON.stringify(drawn), drawn);
  }
  return [...settings.values()];
}
