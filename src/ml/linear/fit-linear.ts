/** From a checked training table to a linear pipeline model: preprocessing, then the solver of the algorithm. */
import { TrainingError } from '../../errors.ts';
import type { FitInput } from '../fit-input.ts';
import type { FitHooks, FitResult } from '../pipeline-model.ts';
import {
  type CategoricalEncoding,
  fitDesign,
  type PreprocessingOptions,
} from '../preprocessing/design-encoding.ts';
import { expandFeatures, fitFeatureExpansion } from '../preprocessing/feature-expansion.ts';
import type { Imputation } from '../preprocessing/imputation.ts';
import type { Scaling } from '../preprocessing/scaling.ts';
import { encodingTargets } from '../preprocessing/target.ts';
import type { DesignMatrix } from './design-matrix.ts';
import { fitElasticNet } from './elastic-net.ts';
import { meansOf } from './gram.ts';
import { fitLeastSquares } from './least-squares.ts';
import { LinearPipelineModel } from './linear-pipeline.ts';
import { fitLogisticRegression, type LogisticWeights } from './logistic-regression.ts';
import { fitRidge, type LinearWeights } from './ridge.ts';
import { fitSparseLogistic } from './sparse-logistic.ts';

/** Solvers that hold the products of all columns with each other need 8 bytes for each, some of them thrice. */
const MAX_COLUMNS_OF_PRODUCTS = 5000;

type Fit = (input: FitInput, hooks: FitHooks, checkpoint?: unknown) => FitResult<LinearPipelineModel>;
type Solve<Weights> = (
  design: DesignMatrix,
  input: FitInput,
  hooks: FitHooks,
  checkpoint?: unknown,
) => FitResult<Weights>;

export const fitLinearRegressionPipeline = regression((design, { y }) => ({
  done: true,
  model: fitLeastSquares(design, y!),
}));

export const fitRidgePipeline = regression((design, { y, hyperparameters }) => ({
  done: true,
  model: fitRidge(design, y!, hyperparameters.alpha as number),
}));

/** Of lasso, too, which has no `l1_ratio`. */
export const fitElasticNetPipeline = regression((design, { y, hyperparameters }, hooks, checkpoint) => {
  const { alpha, l1_ratio = 1, max_iter, tol } = hyperparameters as Record<string, number | null>;
  const options = { alpha: alpha ?? undefined, l1Ratio: l1_ratio!, maxIter: max_iter!, tol: tol! };
  return fitElasticNet(design, y!, options, hooks, checkpoint);
});

export const fitLogisticPipeline = pipelineOf((design, input, hooks, checkpoint) => {
  const { C, max_iter, tol, l1_ratio } = input.hyperparameters as Record<string, number>;
  const options = { C: C!, maxIter: max_iter!, tol: tol! };
  const { penalty } = input.hyperparameters;
  const l1Ratio = penalty === 'l1' ? 1 : penalty === 'elasticnet' ? l1_ratio! : 0;
  const nClasses = input.classes!.length;
  const { classIndices, sampleWeights } = input;
  if (l1Ratio === 0) {
    return fitLogisticRegression(design, classIndices!, nClasses, options, sampleWeights, hooks, checkpoint);
  }
  checkColumns(design, input.algorithm);
  const sparse = { ...options, l1Ratio };
  return fitSparseLogistic(design, classIndices!, nClasses, sparse, sampleWeights, hooks, checkpoint);
});

function regression(solve: Solve<LinearWeights>): Fit {
  return pipelineOf((design, input, hooks, checkpoint) => {
    checkColumns(design, input.algorithm);
    const result = solve(design, input, hooks, checkpoint);
    if (!result.done) return result;
    const { weights, intercept } = result.model;
    return { done: true, model: { nScores: 1, weights, intercepts: Float64Array.of(intercept) } };
  });
}

function pipelineOf(solve: Solve<LogisticWeights>): Fit {
  return (input, hooks, checkpoint) => {
    const expansion = fitFeatureExpansion(input.features);
    const columns = expandFeatures(input.features, expansion);
    const { encoding, design } = fitDesign(columns, input.nRows, encodingTargets(input), optionsOf(input));
    const result = solve(design, input, hooks, checkpoint);
    if (!result.done) return result;
    hooks.onProgress?.(1);
    const preprocessing = { expansion, encoding, columnMeans: meansOf(design) };
    return { done: true, model: new LinearPipelineModel(input, preprocessing, result.model) };
  };
}

function checkColumns({ nColumns }: DesignMatrix, algorithm: string): void {
  if (nColumns <= MAX_COLUMNS_OF_PRODUCTS) return;
  throw new TrainingError(
    'TOO_MANY_COLUMNS',
    `the features become n_columns=${nColumns} numbers a row but ${algorithm} takes at most ${MAX_COLUMNS_OF_PRODUCTS}; lower max_categories, set categorical_encoding=target, leave out features, or choose gradient_boosting`,
    { evidence: { n_columns: nColumns, limit: MAX_COLUMNS_OF_PRODUCTS, algorithm } },
  );
}

function optionsOf({ hyperparameters, randomState }: FitInput): PreprocessingOptions {
  const numbers = hyperparameters as Record<string, number>;
  return {
    scaling: hyperparameters.scaling as Scaling,
    imputation: hyperparameters.imputation as Imputation,
    categoricalEncoding: hyperparameters.categorical_encoding as CategoricalEncoding,
    maxCategories: numbers.max_categories!,
    minCategoryRows: numbers.min_category_rows!,
    targetSmoothing: numbers.target_smoothing!,
    randomState,
  };
}
