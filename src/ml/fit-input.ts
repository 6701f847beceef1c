/** A training table and a spec, checked and turned into what every learner's fit starts from. */
import { algorithmNamed, checkAlgorithmFitsTask } from './algorithms.ts';
import { type HyperparameterValues, resolveAgainst } from './hyperparameter.ts';
import type { ClassLabel, FeatureSpec, PipelineSpec, Task } from './pipeline-model.ts';
import { type FeatureColumn, trainingFeatures } from './preprocessing/feature-columns.ts';
import { balancedWeights, classTarget, rowsWithTarget } from './preprocessing/target.ts';
import { columnNamed, type NumericColumn, type Table, takeRows } from './table.ts';
import { checkTrainable } from './training-checks.ts';

export interface FitInput {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly hyperparameters: HyperparameterValues;
  readonly randomState: number;
  readonly nRows: number;
  readonly features: readonly FeatureColumn[];
  readonly specs: readonly FeatureSpec[];
  /** Regression. */
  readonly y?: Float64Array;
  /** Classification. */
  readonly classes?: readonly ClassLabel[];
  readonly classIndices?: Int32Array;
  readonly sampleWeights?: Float64Array;
}

/**
 * Rows with a missing target are dropped; the table itself is not changed.
 * @throws ValidationError for a broken spec, TrainingError for a table that cannot be learnt from.
 */
export function fitInputOf(train: Table, spec: PipelineSpec): FitInput {
  const algorithm = algorithmNamed(spec.algorithm);
  checkAlgorithmFitsTask(algorithm, spec.task);
  const hyperparameters = resolveAgainst(algorithm.name, algorithm.hyperparameters, spec.hyperparameters);
  checkTrainable(train, { task: spec.task, target: spec.target, minSamples: 2 });
  const rows = rowsWithTarget(columnNamed(train, spec.target)!);
  const table = rows.length === train.nRows ? train : takeRows(train, rows);
  const features = trainingFeatures(table, spec.target);
  const common = {
    task: spec.task,
    algorithm: algorithm.name,
    target: spec.target,
    hyperparameters,
    randomState: spec.randomState,
    nRows: table.nRows,
    features,
    specs: features.map((feature) => feature.spec),
  };
  const target = columnNamed(table, spec.target)!;
  if (spec.task === 'regression')
    return { ...common, y: Float64Array.from((target as NumericColumn).values) };
  const { classes, indices } = classTarget(target);
  if (hyperparameters.class_weight !== 'balanced') return { ...common, classes, classIndices: indices };
  return {
    ...common,
    classes,
    classIndices: indices,
    sampleWeights: balancedWeights(indices, classes.length),
  };
}
