/** What a name of the graph stands for while it is compiled, and what its steps work on when it runs. */
import type { FeatureValues } from '../feature-batch.ts';

/** All of them are kept as doubles: float32 rounded where ONNX rounds it, int64 exact within `exactInt64`, bool 0 or 1. */
export type NumberType = 'float' | 'double' | 'int64' | 'bool';

/** Integers beyond it have no exact double. */
export const exactInt64 = Number.MAX_SAFE_INTEGER;

/** How an int64 input spells missing. */
export const MISSING_INT64 = -(2 ** 63);
/** What ECMAScript's dates hold, in milliseconds: an int64 input that is not missing is a date. */
export const MOST_DATE = 8.64e15;

/** One tensor of shape [N, ...tail]. */
export interface Rows {
  readonly kind: 'rows';
  readonly type: NumberType;
  readonly tail: readonly number[];
  /** Product of the tail. */
  readonly width: number;
  /** Numbers of a row that lie before these, times the capacity of a block is where they begin. */
  readonly start: number;
  /** Whether every value is a float32, whatever the type. */
  readonly isFloat32: boolean;
  /** Of int64: what no value is beyond. */
  readonly least: number;
  readonly most: number;
  /** Of bool: it says which rows of the int64 input that starts there are missing. */
  readonly missingOf?: number;
}

export interface Constant {
  readonly kind: 'constant';
  readonly type: NumberType;
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/** A text input, which only lookups read. */
export interface Texts {
  readonly kind: 'texts';
  readonly input: number;
}

/** The shape of a tensor [N, ...tail], as a tensor. */
export interface ShapeOf {
  readonly kind: 'shape';
  readonly tail: readonly number[];
}

export type GraphValue = Rows | Constant | Texts | ShapeOf;

/** A block of rows on its way through the steps. */
export interface Block {
  /** Scratch of all values, each as large as `capacity` rows of it. */
  numbers: Float64Array;
  /** Scratch of one ensemble of trees at a time. */
  ranks: Int32Array;
  leaves: Int32Array;
  capacity: number;
  nRows: number;
  /** Of the block, in the feeds. */
  firstRow: number;
  /** One per input of the plan. */
  feeds: readonly FeatureValues[];
}

export type Step = (block: Block) => void;
