import { z } from 'zod';

/** DynamoDB, which keeps the request with its job, holds no number that is nearer to 0 than 1e-130. */
export const StorableNumber = z
  .number()
  .refine((value) => value === 0 || Math.abs(value) >= 1e-100, 'must be 0 or at least 1e-100 in size');
export const HyperparameterValue = z.union([
  StorableNumber,
  z.string(),
  z.boolean(),
  z.null(),
  // Monotonic constraints: a direction per feature.
  z.record(z.string().min(1), z.int().min(-1).max(1)),
]);

/** How the training part is divided, again and again, into rows to learn from and rows to measure on. */
export const CrossValidation = z
  .strictObject({
    folds: z.int().min(2).max(20).default(5),
    kind: z
      .enum(['stratified', 'kfold', 'group', 'time'])
      .optional()
      .describe(
        'stratified: classes in proportion (the default for classification); kfold: rows at random (the default for ' +
          'regression); group: rows of one group in one fold only; time: trains on what was before',
      ),
    group_column: z
      .string()
      .min(1)
      .optional()
      .describe('For group. Not learnt from, unless features names it'),
    time_column: z
      .string()
      .min(1)
      .optional()
      .describe('For time: rows are ordered by it; by their place in the dataset when left out'),
  })
  .meta({ id: 'CrossValidation' });
export type CrossValidation = z.infer<typeof CrossValidation>;

const Range = { low: StorableNumber, high: StorableNumber };
export const SearchDistribution = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('uniform'), ...Range }),
    z.strictObject({ type: z.literal('log_uniform'), ...Range }),
    z.strictObject({
      type: z.literal('int'),
      ...Range,
      log: z.boolean().default(false).describe('Draws small numbers as often as large ones'),
    }),
    z.strictObject({ type: z.literal('choice'), values: z.array(HyperparameterValue).min(1).max(100) }),
  ])
  .meta({ id: 'SearchDistribution' });

/** Tries other hyperparameters of one algorithm, in parallel; those in `hyperparameters` stay fixed. */
export const Search = z
  .strictObject({
    method: z
      .enum(['grid', 'random', 'halving'])
      .describe('halving: many on few rows, the best third of them on three times as many, and so on'),
    n_candidates: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe('How many are tried; a grid that has more is refused'),
    space: z
      .record(z.string(), SearchDistribution)
      .optional()
      .describe("What is tried of each hyperparameter; the algorithm's own when left out"),
  })
  .meta({ id: 'Search' });
export type Search = z.infer<typeof Search>;

export const LeaderboardEntry = z.object({
  rank: z.int(),
  id: z.string(),
  role: z.enum(['naive', 'linear', 'candidate']),
  algorithm: z.string(),
  hyperparameters: z
    .record(z.string(), z.unknown())
    .describe('What differs from the defaults of the algorithm'),
  status: z
    .enum(['winner', 'tied', 'behind', 'eliminated', 'failed'])
    .describe('tied: behind by no more than a standard error; eliminated: did not go on to more rows'),
  mean: z.number().optional().describe('Of the metric, over the folds'),
  standard_error: z.number().optional().describe('Of the mean; absent with one fold'),
  n_folds: z.int().optional(),
  share: z.number().optional().describe('Of the rows that it was last given, when that is not all'),
  seconds: z.number().optional().describe('To fit and to measure in all folds'),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type LeaderboardEntry = z.infer<typeof LeaderboardEntry>;

/** Who was raced on the training part, best first. Margins are positive where the winner is better. */
export const Leaderboard = z
  .object({
    metric: z.string(),
    over_naive: z.number().optional(),
    over_linear: z.number().optional(),
    n_candidates: z.int(),
    entries: z.array(LeaderboardEntry),
  })
  .meta({ id: 'Leaderboard' });
export type Leaderboard = z.infer<typeof Leaderboard>;

/** Mean and standard deviation per metric over the folds, of the algorithm and hyperparameters that were chosen. */
export const CrossValidationResult = z
  .object({
    kind: z.string(),
    n_folds: z.int(),
    cv_mean: z.record(z.string(), z.number()),
    cv_std: z.record(z.string(), z.number()),
  })
  .meta({ id: 'CrossValidationResult' });
export type CrossValidationResult = z.infer<typeof CrossValidationResult>;

const Baseline = z.object({ algorithm: z.string(), metrics: z.record(z.string(), z.number()) });

/** The naive and the linear model on the same test part; one that could not be fitted is left out. */
export const Baselines = z
  .object({ naive: Baseline.optional(), linear: Baseline.optional() })
  .meta({ id: 'Baselines' });
export type Baselines = z.infer<typeof Baselines>;

/** What a choice between candidates leaves with the job and the version. */
export const selectionFields = {
  leaderboard: Leaderboard.optional(),
  cross_validation: CrossValidationResult.optional(),
  baselines: Baselines.optional(),
} as const;
