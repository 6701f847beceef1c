/** How much worse a model gets when a feature tells it nothing: Breiman 2001. */
import { ValidationError } from '../../errors.ts';
import { improvement, metricTable } from '../metrics/metric-table.ts';
import { modelMetrics } from '../metrics/score-model.ts';
import type { PipelineModel } from '../pipeline-model.ts';
import { rowsWithTarget } from '../preprocessing/target.ts';
import { Random } from '../random.ts';
import { type Column, columnNamed, type Table, takeRows } from '../table.ts';

export interface PermutationOptions {
  /** A name of `metricTable`. @default - log_loss for classification, rmse for regression */
  readonly metric?: string;
  /** Shuffles per feature, >= 1. @default - 5 */
  readonly nRepeats?: number;
  readonly randomState: number;
}

export interface PermutationImportance {
  readonly metric: string;
  /** Of the rows as they are. */
  readonly score: number;
  /** In the order of the model's features. */
  readonly features: readonly {
    readonly feature: string;
    /** How much worse the metric is with the feature shuffled: negative where it is better without. */
    readonly mean: number;
    /** Over the repeats, divided by their number. */
    readonly std: number;
    readonly repeats: readonly number[];
  }[];
}

/**
 * Any model, any metric; the features' values are shuffled over the rows, one feature after the other.
 * Cost: a prediction of all rows per feature and repeat. The same seed gives the same numbers.
 * @param rows - hold the target, best rows that were not learnt from; rows without a target are left out.
 * @throws ValidationError UNKNOWN_METRIC, EXPLANATION_NEEDS_ROWS.
 */
export function permutationImportance(
  model: PipelineModel,
  rows: Table,
  { metric = defaultMetric(model), nRepeats = 5, randomState }: PermutationOptions,
): PermutationImportance {
  if (!Number.isInteger(nRepeats) || nRepeats < 1) {
    throw new ValidationError(`nRepeats=${nRepeats} must be a whole number of at least 1`);
  }
  const table = scorableRows(model, rows);
  const score = scoreOf(model, table, metric);
  const features = model.features.map(({ name }, position) => {
    const column = columnNamed(table, name)!;
    // A feature's shuffles do not depend on the features before it.
    const random = new Random(randomState + position * 2 ** 32);
    const repeats = Array.from({ length: nRepeats }, () => {
      const shuffled = shuffledColumn(column, random);
      const columns = table.columns.map((one) => (one === column ? shuffled : one));
      return improvement(metric, score, scoreOf(model, { ...table, columns }, metric));
    });
    const mean = meanOf(repeats);
    const std = Math.sqrt(meanOf(repeats.map((value) => (value - mean) ** 2)));
    return { feature: name, mean, std, repeats };
  });
  return { metric, score, features };
}

function defaultMetric({ task }: PipelineModel): string {
  return task === 'classification' ? 'log_loss' : 'rmse';
}

function scorableRows(model: PipelineModel, rows: Table): Table {
  const target = columnNamed(rows, model.target);
  const kept = target === undefined ? new Int32Array(0) : rowsWithTarget(target);
  if (kept.length === 0) {
    throw new ValidationError(
      `permutation importance compares predictions with the target "${model.target}", and no row has one; give rows that do`,
      { code: 'EXPLANATION_NEEDS_ROWS', evidence: { target: model.target } },
    );
  }
  return kept.length === rows.nRows ? rows : takeRows(rows, kept);
}

function scoreOf(model: PipelineModel, table: Table, metric: string): number {
  const metrics = modelMetrics(model, table);
  const score = metrics[metric];
  if (score !== undefined && metric !== 'n_samples') return score;
  const known = Object.keys(metrics).filter((name) => name in metricTable && name !== 'n_samples');
  throw new ValidationError(
    `metric "${metric}" does not exist for these rows of a ${model.task}; choose one of ${known.join(', ')}`,
    { code: 'UNKNOWN_METRIC', evidence: { metric, metrics: known } },
  );
}

function shuffledColumn(column: Column, random: Random): Column {
  const nRows = column.type === 'category' ? column.codes.length : column.values.length;
  const order = random.shuffle(Int32Array.from({ length: nRows }, (_, row) => row));
  return column.type === 'category'
    ? { ...column, codes: order.map((row) => column.codes[row]!) }
    : { ...column, values: Float64Array.from(order, (row) => column.values[row]!) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
