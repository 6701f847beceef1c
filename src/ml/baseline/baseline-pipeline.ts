/** The naive model: one prediction for every row. */
import { predictionsFromScores } from '../class-probabilities.ts';
import { DescribedModel, descriptionFromJSON, type ModelDescription } from '../described-model.ts';
import type { FitInput } from '../fit-input.ts';
import { weightedMedian } from '../metrics/weighted-median.ts';
import type { FitHooks, FitResult, PipelineModel, Predictions } from '../pipeline-model.ts';
import { alignFeatures } from '../preprocessing/feature-columns.ts';
import type { Table } from '../table.ts';

/** Its features are asked for, so that it can take the place of any other model, and not looked at. */
export class BaselinePipelineModel extends DescribedModel implements PipelineModel {
  /** The value itself, the log odds of the second of two classes, or one score per class. */
  readonly scores: readonly number[];

  constructor(description: ModelDescription, scores: readonly number[]) {
    super(description);
    this.scores = scores;
    Object.freeze(this);
  }

  predict(table: Table): Predictions {
    alignFeatures(table, this.features);
    const columns = this.scores.map((score) => new Float64Array(table.nRows).fill(score));
    return predictionsFromScores(columns, this.classes);
  }

  toJSON(): unknown {
    return {
      format: 'baseline-pipeline-1',
      ...this.describe(),
      scores: this.scores,
    };
  }
}

export function baselinePipelineFromJSON(json: unknown): BaselinePipelineModel {
  const { scores } = json as Pick<BaselinePipelineModel, 'scores'>;
  return new BaselinePipelineModel(descriptionFromJSON(json), scores);
}

/** One pass over the target; the median sorts it. */
export function fitBaselinePipeline(input: FitInput, hooks: FitHooks): FitResult<BaselinePipelineModel> {
  const scores = input.y === undefined ? classScores(input) : [constantOf(input, input.y)];
  hooks.onProgress?.(1);
  return { done: true, model: new BaselinePipelineModel(input, scores) };
}

function constantOf({ hyperparameters, sampleWeights }: FitInput, y: Float64Array): number {
  if (hyperparameters.strategy === 'median') return weightedMedian(y, sampleWeights);
  let sum = 0;
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    const weight = sampleWeights?.[i] ?? 1;
    sum += weight * y[i]!;
    total += weight;
  }
  return sum / total;
}

/** Logarithms of the shares: every class of a model has rows, so none is of 0. */
function classScores({ classIndices, classes, sampleWeights }: FitInput): number[] {
  const weights = new Array<number>(classes!.length).fill(0);
  classIndices!.forEach((index, i) => {
    weights[index]! += sampleWeights?.[i] ?? 1;
  });
  if (weights.length === 2) return [Math.log(weights[1]! / weights[0]!)];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => Math.log(weight / total));
}
