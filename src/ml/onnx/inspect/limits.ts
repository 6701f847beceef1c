/** What a brought model may have at most. Each limit is far beyond what exporters of classical models write. */

export const MAX_FILE_BYTES = 256 * 1024 * 1024;
export const MAX_NODES = 20_000;
export const MAX_INPUTS = 10_000;
export const MAX_OUTPUTS = 64;
export const MAX_RANK = 8;
/** Numbers that one row may become in one tensor, and in all of them. */
export const MAX_ELEMENTS_PER_ROW = 2 ** 18;
export const MAX_TOTAL_ELEMENTS_PER_ROW = 2 ** 21;
/** Numbers that the graph may make without any row, in all tensors: they are there for every call. */
export const MAX_MADE_ELEMENTS = 2 ** 24;

/** Inclusive. onnxruntime 1.30 loads up to the upper ones; the lower ones are from 2018, when tree operators settled. */
export const OPSET_RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  'ai.onnx': [7, 26],
  'ai.onnx.ml': [1, 5],
};
export const IR_RANGE = [3, 13] as const;
