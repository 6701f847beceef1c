/** How much memory a fit takes, known before it starts. */
import { resolveHyperparameters } from './algorithms.ts';
import { planForest } from './ensemble/forest-memory.ts';
import { planBoosting } from './tree/boosting-memory.ts';

export interface FitSize {
  readonly algorithm: string;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly nRows: number;
  /** Columns that the learner sees: a date makes seven of one. */
  readonly nColumns: number;
  /** 0 for regression. */
  readonly nClasses: number;
  readonly nThreads: number;
}

/** A table's float64 or codes, the rows of the training part copied out of it, and the features as float32. */
const TABLE_BYTES_PER_VALUE = 8 + 8 + 4;
/** A linear learner's design: float64, the encoding's own columns, and products. */
const DESIGN_BYTES_PER_VALUE = 24;
const DESIGN_BYTES_PER_ROW_AND_SCORE = 24;

/** The most bytes that a fit holds at once, its table included, code and runtime not. */
export function estimateFitBytes(size: FitSize): number {
  return size.nRows * size.nColumns * TABLE_BYTES_PER_VALUE + learnerBytes(size);
}

function learnerBytes({ algorithm, hyperparameters, nRows, nColumns, nClasses, nThreads }: FitSize): number {
  const nScores = nClasses > 2 ? nClasses : 1;
  const values = resolveHyperparameters(algorithm, hyperparameters) as Record<string, number>;
  if (algorithm === 'baseline') return nRows * 8;
  if (algorithm === 'random_forest' || algorithm === 'extra_trees') {
    const options = { nEstimators: values.n_estimators!, minSamplesLeaf: values.min_samples_leaf! };
    return planForest(nRows, nColumns, nClasses, options, nThreads).totalBytes;
  }
  if (algorithm === 'gradient_boosting') {
    const shape = { nScores, constantHessian: false, isWeighted: true, isSampled: true };
    const rules = {
      maxLeafNodes: values.max_leaf_nodes!,
      maxDepth: undefined,
      minSamplesLeaf: values.min_samples_leaf!,
      l2Regularization: 0,
      learningRate: 1,
    };
    return planBoosting(nRows, nColumns, shape, rules, nThreads).totalBytes;
  }
  return nRows * (nColumns * DESIGN_BYTES_PER_VALUE + nScores * DESIGN_BYTES_PER_ROW_AND_SCORE);
}
