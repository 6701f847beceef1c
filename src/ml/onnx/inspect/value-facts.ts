/** What is known of a value of the graph before any row has come. */
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../read/onnx-model.ts';
import { tensorNumbers } from '../read/tensor-numbers.ts';
import { Refused } from './refusal.ts';
import { constantDim, constantShape, type Dim, invalid, type Shape } from './shape.ts';

/** TensorProto.DataType by name, of the types that are taken. */
export const Type = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
} as const;

export const typeNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Type).map(([name, type]) => [type, name]),
);

export interface ValueFacts {
  readonly elementType: number;
  readonly shape: Shape;
  /** The elements, of a short list of integers that is constant or made of shapes. */
  readonly ints?: readonly Dim[];
  /** The tensor itself, of an initializer or constant. */
  readonly tensor?: OnnxTensor;
}

/** Longer lists of integers are no shapes. */
const MAX_INTS = 64;

export function factsOfTensor(tensor: OnnxTensor): ValueFacts {
  const { elementType, dims } = tensor;
  const shape = constantShape(dims);
  const isShort = dims.length <= 1 && (dims[0] ?? 1) <= MAX_INTS;
  if (!isShort || (elementType !== Type.int64 && elementType !== Type.int32))
    return { elementType, shape, tensor };
  return { elementType, shape, tensor, ints: Array.from(tensorNumbers(tensor), constantDim) };
}

/** A node, with what its inputs are. */
export class NodeView {
  readonly node: OnnxNode;
  readonly inputs: readonly (ValueFacts | undefined)[];
  /** Of its domain. */
  readonly opset: number;
  readonly where: string;
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;

  constructor(node: OnnxNode, inputs: readonly (ValueFacts | undefined)[], opset: number) {
    this.node = node;
    this.inputs = inputs;
    this.opset = opset;
    this.where = `${node.opType}${node.name === '' ? '' : ` "${node.name}"`}`;
    this.#attributes = new Map(node.attributes.map((attribute) => [attribute.name, attribute]));
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.#attributes.get(name);
  }

  int(name: string, otherwise: number): number {
    return this.attribute(name)?.int ?? otherwise;
  }

  /** @throws {Refused} when it is left out */
  input(index: number): ValueFacts {
    const facts = this.inputs[index];
    if (facts === undefined) throw invalid(this.where, `input ${index} is missing`);
    return facts;
  }

  shape(index: number): Shape {
    return this.input(index).shape;
  }

  /** Integers that decide on a shape: from the attribute of old opsets, or from an input that is known. */
  ints(index: number, attribute?: string): readonly Dim[] | undefined {
    const written = attribute === undefined ? undefined : this.attribute(attribute);
    if (written !== undefined) return Array.from(written.ints, constantDim);
    const facts = this.inputs[index];
    if (facts === undefined) return undefined;
    if (facts.ints === undefined)
      throw new Refused(
        'ONNX_SHAPE_FROM_DATA',
        `${this.where}: input ${index} decides on a shape, and is computed from data`,
        'make shapes constant: let only the number of rows vary when the model is exported',
      );
    return facts.ints;
  }

  /** The same, of which none may depend on N. */
  constantInts(index: number, attribute?: string): number[] | undefined {
    return this.ints(index, attribute)?.map(({ size, power }) => {
      if (power > 0) throw invalid(this.where, `input ${index} depends on the number of rows`);
      return size;
    });
  }
}

/** Types and shapes of a node's outputs, one entry each. */
export type Infer = (view: NodeView) => ValueFacts[];
