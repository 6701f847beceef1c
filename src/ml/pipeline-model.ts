/** What a fitted pipeline is, whatever algorithm is inside. */
import type { ParallelExecutor } from './parallel-executor.ts';
import type { ColumnType, Table } from './table.ts';

export type Task = 'classification' | 'regression';

export interface PipelineSpec {
  readonly task: Task;
  readonly target: string;
  /** A name of the catalogue in `algorithms.ts`. */
  readonly algorithm: string;
  /** Under scikit-learn's names; what is left out takes the catalogue's default. */
  readonly hyperparameters: Record<string, unknown>;
  readonly randomState: number;
}

export interface FitHooks {
  onProgress?(fraction: number): void;
  /** Asked between iterations; `true` makes the fit return with a checkpoint. */
  shouldPause?(): boolean;
  /** Other threads to fit with. @default - none */
  readonly parallel?: ParallelExecutor;
}

export interface FeatureSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Categories seen in training. */
  readonly categories?: readonly string[];
}

export type ClassLabel = string | number | boolean;

export interface Predictions {
  readonly nRows: number;
  /** Regression. */
  readonly values?: Float64Array;
  /** Classification: row-major nRows × nClasses, ordered as `classes`. */
  readonly probabilities?: Float64Array;
  readonly nClasses?: number;
}

/** Immutable: made by a fit or from JSON, never changed. */
export interface PipelineModel {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly features: readonly FeatureSpec[];
  /** Sorted. */
  readonly classes?: readonly ClassLabel[];
  /**
   * @throws PredictionError FEATURE_NOT_FOUND, FEATURE_TYPE_MISMATCH, INFINITE_VALUE or CATEGORY_NOT_STORABLE, naming
   * the column.
   * Missing values and unknown categories are no error: they are treated as training learnt to.
   */
  predict(table: Table): Predictions;
  /** Plain data that `pipelineFromJSON` turns into an equal model. */
  toJSON(): unknown;
}

/** A fit either ends with a model or pauses with a JSON-safe checkpoint to resume from. */
export type FitResult<Model> =
  | { readonly done: true; readonly model: Model }
  | { readonly done: false; readonly checkpoint: unknown };
