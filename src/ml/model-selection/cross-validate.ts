/** One model per fold, measured on the rows that it did not see. */
import { TrainingError } from '../../errors.ts';
import { modelMetrics } from '../metrics/score-model.ts';
import { fitPipeline, type PipelineModel, type PipelineSpec } from '../pipeline.ts';
import type { ClassLabel, FitHooks } from '../pipeline-model.ts';
import { classTarget, rowsWithTarget } from '../preprocessing/target.ts';
import { splitRows } from '../split.ts';
import { columnNamed, type Table, takeRows, withoutColumns } from '../table.ts';
import { foldsOf } from './folds.ts';
import type { Fold, Splitter } from './splitter.ts';

export interface SelectionHooks extends FitHooks {
  /** The caller's clock, by which fits are timed. @default - times are left out */
  nowMs?(): number;
}

export interface CrossValidationOptions {
  /** Columns that decide the folds but are not learnt from. */
  readonly unlearnt?: readonly string[];
  /** Each fold trains on this share of its train part, drawn in proportion to the classes. @default 1 */
  readonly trainFraction?: number;
  /** Whether to keep what each row was predicted by the model that did not see it. @default false */
  readonly keepsPredictions?: boolean;
}

/** JSON-safe. */
export interface FoldResult {
  readonly n_train: number;
  readonly n_test: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** To fit and to predict. */
  readonly seconds?: number;
}

/** JSON-safe. */
export interface OutOfFoldPredictions {
  /** Row of the table per prediction; a row that several folds test is there several times. */
  readonly rows: number[];
  /** Regression. */
  readonly values?: number[];
  /** Classification: row-major, ordered as `classes`, which are those of the whole table. */
  readonly probabilities?: number[];
  readonly classes?: readonly ClassLabel[];
}

/** JSON-safe. */
export interface CrossValidationResult {
  readonly folds: FoldResult[];
  /** Over the folds in which the metric exists. */
  readonly cv_mean: Record<string, number>;
  /** Population standard deviation over the same folds. */
  readonly cv_std: Record<string, number>;
  readonly predictions?: OutOfFoldPredictions;
}

/** Ends with a result or pauses with a JSON-safe checkpoint to resume from. */
export type Resumable<Result> =
  | { readonly done: true; readonly result: Result }
  | { readonly done: false; readonly checkpoint: unknown };

interface CrossValidationState {
  readonly format: 'cv-checkpoint-1';
  readonly identity: string;
  readonly folds: FoldResult[];
  readonly predictions: { rows: number[]; outputs: number[] };
  /** Of the fold that is under way. */
  readonly seconds: number;
  readonly fit?: unknown;
}

/**
 * Rows without a target are left out first. The same table, spec and splitter give the same result, paused or not,
 * but for the seconds.
 * @throws what `foldsOf` and `fitPipeline` throw; TrainingError CHECKPOINT_MISMATCH.
 */
export function crossValidate(
  table: Table,
  spec: PipelineSpec,
  splitter: Splitter,
  hooks: SelectionHooks = {},
  options: CrossValidationOptions = {},
  checkpoint?: unknown,
): Resumable<CrossValidationResult> {
  const target = columnNamed(table, spec.target);
  const kept = target === undefined ? undefined : rowsWithTarget(target);
  const complete = kept === undefined || kept.length === table.nRows ? table : takeRows(table, kept);
  const folds = foldsOf(complete, spec.target, splitter);
  const learnt = withoutColumns(complete, options.unlearnt ?? []);
  const identity = JSON.stringify([spec, splitter, options, complete.nRows]);
  let state = checkpoint === undefined ? startOf(identity) : stateOf(checkpoint, identity);
  while (state.folds.length < folds.length) {
    const fold = folds[state.folds.length]!;
    const fraction = (done: number) => (state.folds.length + done) / folds.length;
    const startMs = hooks.nowMs?.() ?? 0;
    const result = fitPipeline(
      takeRows(learnt, trainRows(learnt, fold, spec, splitter, options.trainFraction)),
      spec,
      { ...hooks, onProgress: (done) => hooks.onProgress?.(fraction(done)) },
      state.fit,
    );
    const seconds = () => state.seconds + ((hooks.nowMs?.() ?? 0) - startMs) / 1000;
    if (!result.done) return paused({ ...state, seconds: seconds(), fit: result.checkpoint });
    const test = takeRows(learnt, fold.test);
    const metrics = modelMetrics(result.model, test);
    const measured = { n_train: fold.train.length, n_test: fold.test.length, metrics };
    if (options.keepsPredictions === true) {
      for (const row of fold.test) state.predictions.rows.push(kept?.[row] ?? row);
      for (const output of outputsOf(result.model, test, learnt)) state.predictions.outputs.push(output);
    }
    const { fit: _spent, ...rest } = state;
    state = {
      ...rest,
      folds: [...state.folds, hooks.nowMs === undefined ? measured : { ...measured, seconds: seconds() }],
      seconds: 0,
    };
    if (state.folds.length < folds.length && hooks.shouldPause?.() === true) return paused(state);
  }
  return { done: true, result: resultOf(state, spec, learnt, options) };
}

function startOf(identity: string): CrossValidationState {
  return {
    format: 'cv-checkpoint-1',
    identity,
    folds: [],
    predictions: { rows: [], outputs: [] },
    seconds: 0,
  };
}

function stateOf(checkpoint: unknown, identity: string): CrossValidationState {
  const state = checkpoint as CrossValidationState;
  if (state.format === 'cv-checkpoint-1' && state.identity === identity) {
    // The predictions are appended to; whoever gave the checkpoint may give it again.
    const { rows, outputs } = state.predictions;
    return { ...state, predictions: { rows: [...rows], outputs: [...outputs] } };
  }
  throw new TrainingError(
    'CHECKPOINT_MISMATCH',
    'the checkpoint belongs to another cross-validation: another table, algorithm or splitter; start without it',
  );
}

function paused(checkpoint: CrossValidationState): Resumable<CrossValidationResult> {
  return { done: false, checkpoint };
}

/** The newest rows where time matters, else a draw in proportion to the classes. */
function trainRows(
  table: Table,
  { train }: Fold,
  spec: PipelineSpec,
  splitter: Splitter,
  fraction = 1,
): Int32Array {
  if (fraction >= 1) return train;
  if (splitter.kind === 'time') return train.slice(Math.floor(train.length * (1 - fraction)));
  const rows = takeRows(table, train);
  const stratifyBy = spec.task === 'classification' ? columnNamed(rows, spec.target) : undefined;
  const { test: drawn } = splitRows(rows, {
    kind: 'random',
    testSize: fraction,
    randomState: spec.randomState,
    ...(stratifyBy === undefined ? {} : { stratifyBy }),
  });
  return drawn.map((position) => train[position]!);
}

/** Probabilities under the classes of the whole table: a class that the fold did not see has none. */
function outputsOf(model: PipelineModel, test: Table, whole: Table): Float64Array {
  const { values, probabilities } = model.predict(test);
  if (values !== undefined) return values;
  const { classes } = classTarget(columnNamed(whole, model.target)!);
  const nSeen = model.classes!.length;
  const outputs = new Float64Array(test.nRows * classes.length);
  model.classes!.forEach((label, seen) => {
    const position = classes.indexOf(label);
    for (let row = 0; row < test.nRows; row++) {
      outputs[row * classes.length + position] = probabilities![row * nSeen + seen]!;
    }
  });
  return outputs;
}

function resultOf(
  { folds, predictions }: CrossValidationState,
  spec: PipelineSpec,
  table: Table,
  { keepsPredictions }: CrossValidationOptions,
): CrossValidationResult {
  const names = [...new Set(folds.flatMap(({ metrics }) => Object.keys(metrics)))];
  const valuesOf = (name: string) =>
    folds.map(({ metrics }) => metrics[name]).filter((value) => value !== undefined);
  const over = (statistic: (values: number[]) => number) =>
    Object.fromEntries(names.map((name) => [name, statistic(valuesOf(name))]));
  const result = { folds, cv_mean: over(meanOf), cv_std: over(deviationOf) };
  if (keepsPredictions !== true) return result;
  const { rows, outputs } = predictions;
  return spec.task === 'regression'
    ? { ...result, predictions: { rows, values: outputs } }
    : {
        ...result,
        predictions: {
          rows,
          probabilities: outputs,
          classes: classTarget(columnNamed(table, spec.target)!).classes,
        },
      };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
