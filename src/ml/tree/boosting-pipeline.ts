/** Gradient boosting with its preprocessing, as a pipeline model. */
import { TrainingError, ValidationError } from '../../errors.ts';
import { predictionsFromScores } from '../class-probabilities.ts';
import { DescribedModel, descriptionFromJSON, type ModelDescription } from '../described-model.ts';
import type { FitInput } from '../fit-input.ts';
import type { FeatureSpec, FitHooks, FitResult, PipelineModel, Predictions } from '../pipeline-model.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import type { ExpandedColumn } from '../preprocessing/feature-expansion.ts';
import type { Table } from '../table.ts';
import {
  type BoostedTrees,
  type BoostingOptions,
  boostedScores,
  fitGradientBoosting,
} from './gradient-boosting.ts';
import {
  absoluteLoss,
  binaryLogLoss,
  type Loss,
  multinomialLogLoss,
  poissonLoss,
  quantileLoss,
  squaredLoss,
} from './loss.ts';
import { ensembleFromJSON, ensembleToJSON } from './tree.ts';
import { encodedColumns, fitTreeEncoding, orderingTargets, type TreeEncoding } from './tree-columns.ts';

/** What turns the score of a regression into its prediction. */
export type Link = 'identity' | 'log';

export class BoostingPipelineModel extends DescribedModel implements PipelineModel {
  readonly encoding: TreeEncoding;
  /** Columns are those of the encoding. */
  readonly boosted: BoostedTrees;
  readonly link: Link;

  constructor(
    description: ModelDescription,
    encoding: TreeEncoding,
    boosted: BoostedTrees,
    link: Link = 'identity',
  ) {
    super(description);
    this.encoding = encoding;
    this.boosted = boosted;
    this.link = link;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    const scores = this.scores(table);
    return predictionsFromScores(this.link === 'log' ? [scores[0]!.map(Math.exp)] : scores, this.classes);
  }

  /** One column per score: log odds, one score per class, or what the link turns into the prediction. */
  scores(table: Table): Float64Array[] {
    return boostedScores(this.boosted, this.columns(table), table.nRows);
  }

  /** The table as the trees see it. */
  columns(table: Table): Float32Array[] {
    return encodedColumns(alignFeatures(table, this.features), this.encoding, table.nRows);
  }

  toJSON(): unknown {
    return {
      format: 'boosting-pipeline-3',
      ...this.describe(),
      encoding: this.encoding,
      link: this.link,
      nScores: this.boosted.nScores,
      initialScores: Array.from(this.boosted.initialScores),
      trees: ensembleToJSON(this.boosted.trees),
    };
  }
}

export function boostingPipelineFromJSON(json: unknown): BoostingPipelineModel {
  const data = json as {
    encoding: TreeEncoding;
    link: Link;
    nScores: number;
    initialScores: number[];
    trees: unknown;
  };
  const boosted = {
    nScores: data.nScores,
    initialScores: Float32Array.from(data.initialScores),
    trees: ensembleFromJSON(data.trees),
  };
  return new BoostingPipelineModel(descriptionFromJSON(json), data.encoding, boosted, data.link);
}

export function fitBoostingPipeline(
  input: FitInput,
  hooks: FitHooks,
  checkpoint?: unknown,
): FitResult<BoostingPipelineModel> {
  const loss = lossOf(input);
  const { encoding, columns } = fitTreeEncoding(input.features, orderingTargets(input));
  const options = optionsOf(input, encoding);
  const result = fitGradientBoosting(columns, input.nRows, loss, options, hooks, checkpoint);
  if (!result.done) return result;
  return { done: true, model: new BoostingPipelineModel(input, encoding, result.model, linkOf(input)) };
}

/** @throws ValidationError, TrainingError when the loss does not fit the task or the target. */
function lossOf({ task, hyperparameters, y, classIndices, classes, sampleWeights }: FitInput): Loss {
  const name = hyperparameters.loss ?? (task === 'regression' ? 'squared_error' : 'log_loss');
  if ((name === 'log_loss') !== (task === 'classification')) {
    throw new ValidationError(
      `loss=${name} is not for ${task}; leave it out or choose ${task === 'regression' ? 'squared_error, absolute_error, quantile or poisson' : 'log_loss'}`,
      { code: 'INVALID_HYPERPARAMETER', evidence: { loss: name, task } },
    );
  }
  if (y !== undefined) {
    if (name === 'absolute_error') return absoluteLoss(y);
    if (name === 'quantile') return quantileLoss(y, hyperparameters.quantile as number);
    if (name === 'poisson') return poissonLoss(countsOf(y));
    return squaredLoss(y);
  }
  return classes!.length === 2
    ? binaryLogLoss(classIndices!, sampleWeights)
    : multinomialLogLoss(classIndices!, classes!.length, sampleWeights);
}

function linkOf({ hyperparameters }: FitInput): Link {
  return hyperparameters.loss === 'poisson' ? 'log' : 'identity';
}

function countsOf(y: Float64Array): Float64Array {
  const negative = y.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw new TrainingError(
      'NEGATIVE_TARGET',
      `loss=poisson needs a target >= 0 but it holds ${y[negative]}; choose squared_error or another target`,
      { evidence: { value: y[negative]! } },
    );
  }
  return y;
}

function optionsOf(
  { hyperparameters, randomState, specs }: FitInput,
  { expansion }: TreeEncoding,
): BoostingOptions {
  const numbers = hyperparameters as Record<string, number>;
  const optional = (name: string) => (hyperparameters[name] === null ? undefined : numbers[name]!);
  const signs = hyperparameters.monotonic_cst as Readonly<Record<string, number>> | null;
  const constraints = signs === null ? undefined : monotonicConstraints(signs, specs, expansion.columns);
  return {
    nEstimators: numbers.n_estimators!,
    learningRate: numbers.learning_rate!,
    maxLeafNodes: numbers.max_leaf_nodes!,
    maxDepth: optional('max_depth'),
    minSamplesLeaf: numbers.min_samples_leaf!,
    l2Regularization: numbers.l2_regularization!,
    maxBins: numbers.max_bins!,
    subsample: numbers.subsample!,
    nIterNoChange: optional('n_iter_no_change'),
    validationFraction: numbers.validation_fraction!,
    tol: numbers.tol!,
    randomState,
    ...(constraints === undefined ? {} : { monotonicConstraints: constraints }),
  };
}

/** @throws ValidationError for a feature that is not there or has no order. */
function monotonicConstraints(
  signs: Readonly<Record<string, number>>,
  specs: readonly FeatureSpec[],
  columns: readonly ExpandedColumn[],
): number[] {
  for (const name of Object.keys(signs)) {
    const spec = specs.find((one) => one.name === name);
    if (spec !== undefined && spec.type !== 'category') continue;
    const orderable = specs.filter(({ type }) => type !== 'category').map((one) => one.name);
    throw new ValidationError(
      `monotonic_cst names "${name}", which is ${spec === undefined ? 'not a feature' : 'a category and has no order'}; choose among ${orderable.join(', ')}`,
      { code: 'INVALID_HYPERPARAMETER', evidence: { feature: name } },
    );
  }
  // Of a date's columns only its time goes one way.
  return columns.map(({ source, kind }) =>
    kind === 'numeric' || kind === 'time' ? (signs[specs[source]!.name] ?? 0) : 0,
  );
}
