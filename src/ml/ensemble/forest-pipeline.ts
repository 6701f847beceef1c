/** Random forest and extremely randomized trees with their preprocessing, as pipeline models. */
import { DescribedModel, descriptionFromJSON, type ModelDescription } from '../described-model.ts';
import type { FitInput } from '../fit-input.ts';
import type { FitHooks, FitResult, PipelineModel, Predictions } from '../pipeline-model.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import type { Table } from '../table.ts';
import { ensembleFromJSON, ensembleScores, ensembleToJSON } from '../tree/tree.ts';
import { encodedColumns, fitTreeEncoding, orderingTargets, type TreeEncoding } from '../tree/tree-columns.ts';
import { type Forest, type ForestOptions, type ForestTarget, fitForest } from './forest.ts';

export class ForestPipelineModel extends DescribedModel implements PipelineModel {
  readonly encoding: TreeEncoding;
  /** Columns are those of the encoding. */
  readonly forest: Forest;

  constructor(description: ModelDescription, encoding: TreeEncoding, forest: Forest) {
    super(description);
    this.encoding = encoding;
    this.forest = forest;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    const scores = this.scores(table);
    if (this.classes === undefined) return { nRows: table.nRows, values: scores[0]! };
    return probabilitiesFromShares(scores, this.classes.length, table.nRows);
  }

  /** One column per score: the mean, the share of the second of two classes, or one share per class. */
  scores(table: Table): Float64Array[] {
    const { base, trees } = this.forest;
    return ensembleScores(trees, new Float64Array(trees.width).fill(base), this.columns(table), table.nRows);
  }

  /** The table as the trees see it. */
  columns(table: Table): Float32Array[] {
    return encodedColumns(alignFeatures(table, this.features), this.encoding, table.nRows);
  }

  toJSON(): unknown {
    return {
      format: 'forest-pipeline-1',
      ...this.describe(),
      encoding: this.encoding,
      base: this.forest.base,
      trees: ensembleToJSON(this.forest.trees),
    };
  }
}

/** Shares add up to 1 but for the rounding of each tree's. */
function probabilitiesFromShares(
  shares: readonly Float64Array[],
  nClasses: number,
  nRows: number,
): Predictions {
  const probabilities = new Float64Array(nRows * nClasses);
  for (let row = 0; row < nRows; row++) {
    if (shares.length === 1) {
      const second = Math.min(1, Math.max(0, shares[0]![row]!));
      probabilities[2 * row] = 1 - second;
      probabilities[2 * row + 1] = second;
      continue;
    }
    let sum = 0;
    for (let k = 0; k < nClasses; k++) sum += shares[k]![row]!;
    for (let k = 0; k < nClasses; k++) probabilities[row * nClasses + k] = shares[k]![row]! / sum;
  }
  return { nRows, probabilities, nClasses };
}

export function forestPipelineFromJSON(json: unknown): ForestPipelineModel {
  const data = json as {
    encoding: TreeEncoding;
    base: number;
    trees: unknown;
  };
  const forest = { base: data.base, trees: ensembleFromJSON(data.trees) };
  return new ForestPipelineModel(descriptionFromJSON(json), data.encoding, forest);
}

export function fitForestPipeline(
  input: FitInput,
  hooks: FitHooks,
  checkpoint?: unknown,
): FitResult<ForestPipelineModel> {
  const { encoding, columns } = fitTreeEncoding(input.features, orderingTargets(input));
  const options = optionsOf(input, columns.length);
  const result = fitForest(columns, input.nRows, targetOf(input), options, hooks, checkpoint);
  if (!result.done) return result;
  return { done: true, model: new ForestPipelineModel(input, encoding, result.model) };
}

function targetOf({ y, classes, classIndices, sampleWeights, nRows }: FitInput): ForestTarget {
  if (y !== undefined) return { kind: 'values', y };
  const nClasses = classes!.length;
  const weights = new Float64Array(nClasses).fill(1);
  if (sampleWeights !== undefined) {
    for (let row = 0; row < nRows; row++) weights[classIndices![row]!] = sampleWeights[row]!;
  }
  return { kind: 'classes', indices: classIndices!, nClasses, weights };
}

function optionsOf(
  { hyperparameters, algorithm, randomState, task }: FitInput,
  nColumns: number,
): ForestOptions {
  const numbers = hyperparameters as Record<string, number>;
  const share = hyperparameters.max_features as number | null;
  const tried = share === null ? (task === 'regression' ? nColumns : Math.sqrt(nColumns)) : share * nColumns;
  return {
    nEstimators: numbers.n_estimators!,
    maxDepth: hyperparameters.max_depth === null ? undefined : numbers.max_depth!,
    minSamplesLeaf: numbers.min_samples_leaf!,
    minSamplesSplit: numbers.min_samples_split!,
    maxFeatures: Math.max(1, Math.floor(tried)),
    bootstrap: hyperparameters.bootstrap as boolean,
    randomCuts: algorithm === 'extra_trees',
    maxBins: numbers.max_bins!,
    randomState,
  };
}
