import type { GrowthRules } from './grower.ts';

export interface BoostingOptions extends GrowthRules {
  readonly nEstimators: number;
  readonly maxBins: number;
  readonly randomState: number;
  /** Share of the rows that each iteration learns from, in (0, 1] (Friedman 2002). */
  readonly subsample: number;
  /** Stop after so many iterations without a better validation loss. `undefined`: never */
  readonly nIterNoChange: number | undefined;
  /** Share of the rows held back to tell. */
  readonly validationFraction: number;
  /** A loss counts as better when it is lower by more than this. */
  readonly tol: number;
}
