/** An ONNX model as it was read: names as texts, numbers as typed arrays, everything else left out. */
import type { ByteStrings } from './number-list.ts';

export interface OnnxModel {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  /** Version by domain; `ai.onnx` is the domain of no name. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Functions of the model's own. */
  readonly nFunctions: number;
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly nSparseInitializers: number;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** `ai.onnx` where the file names none. */
  readonly domain: string;
  /** An empty name is an input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
}

/** What is not there is empty or 0, as protobuf has it. */
export interface OnnxAttribute {
  readonly name: string;
  /** AttributeProto.AttributeType. */
  readonly type: number;
  readonly float: number;
  readonly int: number;
  readonly text: Uint8Array;
  readonly tensor: OnnxTensor | undefined;
  readonly floats: Float32Array;
  /** Exact up to 2^53. */
  readonly ints: Int32Array | Float64Array;
  readonly strings: ByteStrings;
  /** Graphs, tensor lists, sparse tensors, types or references: nothing that is read. */
  readonly hasOther: boolean;
}

export const AttributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export interface OnnxTensor {
  readonly name: string;
  /** TensorProto.DataType. */
  readonly elementType: number;
  readonly dims: readonly number[];
  /** Little-endian. */
  readonly raw: Uint8Array | undefined;
  /** From float_data, int32_data, int64_data, double_data and uint64_data. */
  readonly numbers: Float64Array;
  readonly strings: ByteStrings;
  readonly isExternal: boolean;
}

export interface OnnxValue {
  readonly name: string;
  readonly kind: 'tensor' | 'sequence' | 'map' | 'optional' | 'sparse' | 'opaque' | 'none';
  /** Of a tensor. */
  readonly elementType: number;
  /** Of a tensor: a name or `undefined` where any size is taken; `undefined` for any rank. */
  readonly shape: readonly (number | string | undefined)[] | undefined;
}
