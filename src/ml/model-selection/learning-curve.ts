/** How a model gets better with more rows: train and test metric over sizes of the train part. */
import { modelMetrics } from '../metrics/score-model.ts';
import { fitPipeline, type PipelineSpec } from '../pipeline.ts';
import { rowsWithTarget } from '../preprocessing/target.ts';
import { Random } from '../random.ts';
import { columnNamed, type Table, takeRows } from '../table.ts';
import { foldsOf } from './folds.ts';
import type { Splitter } from './splitter.ts';

/** JSON-safe; lists are over the sizes, inner lists over the folds; null where the metric does not exist. */
export interface LearningCurve {
  readonly metric: string;
  readonly train_sizes: number[];
  readonly train_scores: (number | null)[][];
  readonly test_scores: (number | null)[][];
}

/**
 * As scikit-learn's learning_curve: the train part of each fold, shuffled once, is cut to each size, so that a larger
 * size holds the rows of the smaller ones. nSizes × nSplits fits.
 * @param shares - of the smallest train part, in (0, 1], ascending. @default 0.1, 0.325, 0.55, 0.775, 1
 */
export function learningCurve(
  table: Table,
  spec: PipelineSpec,
  splitter: Splitter,
  metric: string,
  shares: readonly number[] = [0.1, 0.325, 0.55, 0.775, 1],
): LearningCurve {
  const target = columnNamed(table, spec.target);
  const complete = target === undefined ? table : takeRows(table, rowsWithTarget(target));
  const folds = foldsOf(complete, spec.target, splitter);
  const smallest = Math.min(...folds.map(({ train }) => train.length));
  const sizes = shares.map((share) => Math.max(2, Math.floor(share * smallest)));
  const random = new Random(spec.randomState);
  const shuffled = folds.map(({ train }) =>
    splitter.kind === 'time' ? train : random.shuffle(train.slice()),
  );
  const scores = sizes.map((size) =>
    folds.map(({ test }, position) => {
      // The newest rows are nearest to the test part in time.
      const rows =
        splitter.kind === 'time' ? shuffled[position]!.slice(-size) : shuffled[position]!.slice(0, size);
      const part = takeRows(complete, rows);
      const fit = fitPipeline(part, spec);
      if (!fit.done) throw new Error('a fit without a pause hook does not pause');
      return {
        train: modelMetrics(fit.model, part)[metric] ?? null,
        test: modelMetrics(fit.model, takeRows(complete, test))[metric] ?? null,
      };
    }),
  );
  return {
    metric,
    train_sizes: sizes,
    train_scores: scores.map((ofSize) => ofSize.map(({ train }) => train)),
    test_scores: scores.map((ofSize) => ofSize.map(({ test }) => test)),
  };
}
