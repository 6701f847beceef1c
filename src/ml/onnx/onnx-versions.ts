/** Element types and versions of ONNX, apart from what writes and reads it: the predict path loads this file. */

/** TensorProto.DataType. */
export const ElementType = { float: 1, int64: 7, string: 8, double: 11 } as const;
export type ElementType = (typeof ElementType)[keyof typeof ElementType];

/** The oldest versions that hold every operator used, so that older runtimes read the file as well. */
export const OPSETS = { 'ai.onnx': 17, 'ai.onnx.ml': 3 } as const;
