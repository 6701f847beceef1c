/** Compiles the nodes that an output needs into steps over blocks of rows. */
import { ElementType } from '../../ml/onnx/onnx-versions.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../../ml/onnx/read/onnx-model.ts';
import { tensorNumbers } from '../../ml/onnx/read/tensor-numbers.ts';
import type { FeatureValues } from '../feature-batch.ts';
import {
  type Constant,
  exactInt64,
  type GraphValue,
  MISSING_INT64,
  type NumberType,
  type Rows,
  type Step,
} from './graph-value.ts';
import { NotSupported } from './not-supported.ts';

/** The numbers of one row; more would make blocks of a few rows larger than what they are for. */
const MAX_NUMBERS_PER_ROW = 200_000;

/** A graph input that some step reads. */
export interface PlanInput {
  readonly name: string;
  readonly kind: FeatureValues['kind'];
}

/** What an operator's compiler may ask of the graph that it is in. */
export class GraphCompiler {
  readonly steps: Step[] = [];
  readonly inputs: PlanInput[] = [];
  /** Bytes that the steps keep. */
  keptBytes = 0;
  /** Columns of ranks that the widest ensemble needs, and its trees. */
  rankColumns = 0;
  nTrees = 0;
  numbersPerRow = 0;
  readonly #values = new Map<string, GraphValue>();
  #graph: OnnxGraph | undefined;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    const named = new Set<string>();
    const define = (name: string) => {
      if (name === '' || named.has(name)) throw new NotSupported(`the name "${name}" is given twice`);
      named.add(name);
    };
    for (const input of graph.inputs) define(input.name);
    for (const { name } of graph.initializers) define(name);
    for (const { outputs } of graph.nodes) for (const name of outputs) define(name);
  }

  /** The value of a graph output, after the steps for it. */
  compile(output: string, operators: Readonly<Record<string, OperatorCompiler>>): Rows {
    const { nodes, inputs, initializers } = this.#graph!;
    const needed = neededNames(nodes, output);
    for (const input of inputs) if (needed.has(input.name)) this.#declare(input);
    for (const tensor of initializers) if (needed.has(tensor.name)) this.#define(tensor);
    for (const node of nodes) {
      if (node.outputs.length !== 1 || !needed.has(node.outputs[0]!)) continue;
      const operator = operators[`${node.domain}:${node.opType}`];
      if (operator === undefined) throw new NotSupported(`operator ${node.opType} of ${node.domain}`);
      this.#values.set(node.outputs[0]!, operator(node, this));
    }
    return this.rows(output);
  }

  /** Lets go of what only compiling needed: the scope of a step may hold on to its compiler. */
  close(): void {
    this.#graph = undefined;
    this.#values.clear();
  }

  value(name: string): GraphValue {
    const value = this.#values.get(name);
    if (value === undefined) throw new NotSupported(`"${name}" is used before it is made`);
    return value;
  }

  rows(name: string): Rows {
    const value = this.value(name);
    if (value.kind !== 'rows') throw new NotSupported(`"${name}" is no tensor of rows`);
    return value;
  }

  constant(name: string): Constant {
    const value = this.value(name);
    if (value.kind !== 'constant') throw new NotSupported(`"${name}" is not constant`);
    return value;
  }

  /** Room for a new value of every row. */
  allocate(
    type: NumberType,
    tail: readonly number[],
    about: Partial<Pick<Rows, 'isFloat32' | 'least' | 'most' | 'missingOf'>> = {},
  ): Rows {
    const width = tail.reduce((product, size) => product * size, 1);
    const start = this.numbersPerRow;
    this.numbersPerRow += width;
    if (this.numbersPerRow > MAX_NUMBERS_PER_ROW)
      throw new NotSupported(`a row has more than ${MAX_NUMBERS_PER_ROW} intermediate numbers`);
    const isFloat32 = type === 'float' || type === 'bool';
    return { kind: 'rows', type, tail, width, start, isFloat32, least: 0, most: 0, ...about };
  }

  /** Scratch that an ensemble needs for a row, and for its trees. */
  needTreeScratch(nColumns: number, nTrees: number): void {
    this.rankColumns = Math.max(this.rankColumns, nColumns);
    this.nTrees = Math.max(this.nTrees, nTrees);
  }

  #declare({ name, kind, elementType, shape }: OnnxValue): void {
    if (kind !== 'tensor' || shape?.length !== 2 || typeof shape[0] === 'number' || shape[1] !== 1)
      throw new NotSupported(`input "${name}" does not have the shape [N, 1]`);
    const input = this.inputs.length;
    if (elementType === ElementType.string) {
      this.inputs.push({ name, kind: 'string' });
      this.#values.set(name, { kind: 'texts', input });
    } else if (elementType === ElementType.float) {
      this.inputs.push({ name, kind: 'float32' });
      const rows = this.allocate('float', [1]);
      this.steps.push(floatInput(input, rows.start));
      this.#values.set(name, rows);
    } else if (elementType === ElementType.int64) {
      this.inputs.push({ name, kind: 'int64' });
      const rows = this.allocate('int64', [1], { least: MISSING_INT64, most: -MISSING_INT64 });
      this.steps.push(int64Input(input, rows.start));
      this.#values.set(name, rows);
    } else throw new NotSupported(`input "${name}" has the element type ${elementType}`);
  }

  /** Texts are needed by labels alone, which are not computed. */
  #define(tensor: OnnxTensor): void {
    const type = numberTypes[tensor.elementType];
    if (type === undefined)
      throw new NotSupported(`"${tensor.name}" has the element type ${tensor.elementType}`);
    const values = tensorNumbers(tensor);
    if (type === 'int64' && !isMissing(tensor) && values.some((value) => !(Math.abs(value) <= exactInt64)))
      throw new NotSupported('integers beyond 2^53');
    this.keptBytes += values.byteLength;
    this.#values.set(tensor.name, { kind: 'constant', type, dims: tensor.dims, values });
  }
}

export type OperatorCompiler = (node: OnnxNode, graph: GraphCompiler) => GraphValue;

const numberTypes: Readonly<Record<number, NumberType>> = {
  [ElementType.float]: 'float',
  [ElementType.double]: 'double',
  [ElementType.int64]: 'int64',
};

/** Whether the tensor is exactly one int64 minimum. */
function isMissing({ raw, dims }: OnnxTensor): boolean {
  return (
    dims.every((size) => size === 1) &&
    raw?.length === 8 &&
    raw.every((byte, i) => byte === (i === 7 ? 0x80 : 0))
  );
}

/** Nodes are in order, so that one walk from the end finds what the output needs. */
function neededNames(nodes: readonly OnnxNode[], output: string): Set<string> {
  const needed = new Set([output]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { inputs, outputs } = nodes[i]!;
    if (!outputs.some((name) => needed.has(name))) continue;
    if (outputs.length !== 1) throw new NotSupported(`"${outputs[0]}" comes with other outputs`);
    for (const name of inputs) needed.add(name);
  }
  return needed;
}

function floatInput(input: number, start: number): Step {
  return ({ numbers, capacity, nRows, firstRow, feeds }) => {
    const data = feeds[input]!.data as Float32Array;
    const to = start * capacity;
    for (let row = 0; row < nRows; row++) numbers[to + row] = data[firstRow + row]!;
  };
}

function int64Input(input: number, start: number): Step {
  return ({ numbers, capacity, nRows, firstRow, feeds }) => {
    const data = feeds[input]!.data as BigInt64Array;
    const to = start * capacity;
    for (let row = 0; row < nRows; row++) numbers[to + row] = Number(data[firstRow + row]!);
  };
}
