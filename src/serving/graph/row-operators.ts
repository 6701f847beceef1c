/** Operators on whole rows: side by side, products, sums, lookups. */
import type { OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import type { GraphCompiler, OperatorCompiler } from './graph-compiler.ts';
import type { GraphValue, Rows } from './graph-value.ts';
import { attributesOf, requireInputs } from './node-attributes.ts';
import { NotSupported } from './not-supported.ts';

function concat(node: OnnxNode, graph: GraphCompiler): Rows {
  if (attributesOf(node, { axis: 'int' }).axis?.int !== 1) throw new NotSupported('Concat of rows');
  const parts = node.inputs.map((name) => graph.rows(name));
  const { type } = parts[0]!;
  if (parts.some((part) => part.type !== type || part.tail.length !== 1))
    throw new NotSupported('Concat of mixed types');
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const out = graph.allocate(type, [width], {
    isFloat32: parts.every((part) => part.isFloat32),
    least: Math.min(...parts.map(({ least }) => least)),
    most: Math.max(...parts.map(({ most }) => most)),
  });
  const starts = Int32Array.from(
    parts.flatMap((part) => Array.from({ length: part.width }, () => part.start)),
  );
  const steps = Int32Array.from(
    parts.flatMap((part) => Array.from({ length: part.width }, () => part.width)),
  );
  const offsets = Int32Array.from(parts.flatMap((part) => Array.from({ length: part.width }, (_, k) => k)));
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const to = out.start * capacity;
    for (let column = 0; column < width; column++) {
      const step = steps[column]!;
      let from = starts[column]! * capacity + offsets[column]!;
      const end = to + nRows * width;
      for (let at = to + column; at < end; at += width, from += step) numbers[at] = numbers[from]!;
    }
  });
  return out;
}

function matMul(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 2);
  attributesOf(node, {});
  const left = graph.rows(node.inputs[0]!);
  const { dims, type, values } = graph.constant(node.inputs[1]!);
  const [depth, width] = dims;
  if (left.type !== 'double' || type !== 'double' || left.tail.length !== 1 || dims.length !== 2)
    throw new NotSupported('MatMul of other than double matrices');
  if (left.width !== depth || width === undefined) throw new NotSupported('MatMul of unequal sizes');
  const out = graph.allocate('double', [width]);
  graph.steps.push(({ numbers, capacity, nRows }) => {
    let [from, to] = [left.start * capacity, out.start * capacity];
    for (let row = 0; row < nRows; row++, from += depth, to += width) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        for (let i = 0, at = k; i < depth; i++, at += width) sum += numbers[from + i]! * values[at]!;
        numbers[to + k] = sum;
      }
    }
  });
  return out;
}

function gather(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 2);
  if ((attributesOf(node, { axis: 'int' }).axis?.int ?? 0) !== 0) throw new NotSupported('Gather of columns');
  const { type, dims, values } = graph.constant(node.inputs[0]!);
  const index = graph.rows(node.inputs[1]!);
  const [nEntries, size] = dims;
  if (type !== 'double' || dims.length !== 2 || index.type !== 'int64' || index.tail.length !== 1)
    throw new NotSupported('Gather of other than rows of doubles');
  if (!(index.least >= 0 && index.most < nEntries!)) throw new NotSupported('Gather beyond its table');
  const width = size!;
  const out = graph.allocate('double', [index.width, width]);
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const from = index.start * capacity;
    let to = out.start * capacity;
    const count = nRows * index.width;
    for (let i = 0; i < count; i++) {
      const entry = numbers[from + i]! * width;
      for (let k = 0; k < width; k++) numbers[to++] = values[entry + k]!;
    }
  });
  return out;
}

function reduceSum(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 2);
  const { keepdims, noop_with_empty_axes } = attributesOf(node, {
    keepdims: 'int',
    noop_with_empty_axes: 'int',
  });
  const from = graph.rows(node.inputs[0]!);
  const axes = graph.constant(node.inputs[1]!);
  if (from.type !== 'double' || axes.type !== 'int64' || axes.values.length !== 1 || axes.values[0] !== 1)
    throw new NotSupported('ReduceSum of another axis');
  const keeps = keepdims === undefined || keepdims.int === 1;
  if ((noop_with_empty_axes?.int ?? 0) !== 0 || keeps !== (from.tail.length === 1))
    throw new NotSupported('ReduceSum to another shape');
  const nTerms = from.tail[0]!;
  const width = from.width / Math.max(nTerms, 1);
  if (nTerms === 0) throw new NotSupported('ReduceSum of nothing');
  const out = graph.allocate('double', [keeps ? 1 : width]);
  graph.steps.push(({ numbers, capacity, nRows }) => {
    let [at, to] = [from.start * capacity, out.start * capacity];
    for (let row = 0; row < nRows; row++, at += from.width, to += width) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        for (let i = 0; i < nTerms; i++) sum += numbers[at + i * width + k]!;
        numbers[to + k] = sum;
      }
    }
  });
  return out;
}

function softmax(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  const from = graph.rows(node.inputs[0]!);
  const axis = attributesOf(node, { axis: 'int' }).axis?.int ?? -1;
  if (from.type !== 'double' || from.tail.length !== 1 || (axis !== 1 && axis !== -1))
    throw new NotSupported('Softmax of other than rows of doubles');
  const { width } = from;
  const out = graph.allocate('double', [width]);
  graph.steps.push(({ numbers, capacity, nRows }) => {
    let [at, to] = [from.start * capacity, out.start * capacity];
    for (let row = 0; row < nRows; row++, at += width, to += width) {
      let most = numbers[at]!;
      for (let k = 1; k < width; k++) if (numbers[at + k]! > most) most = numbers[at + k]!;
      let sum = 0;
      for (let k = 0; k < width; k++) {
        const share = Math.exp(numbers[at + k]! - most);
        numbers[to + k] = share;
        sum += share;
      }
      for (let k = 0; k < width; k++) numbers[to + k]! /= sum;
    }
  });
  return out;
}

function shape(node: OnnxNode, graph: GraphCompiler): GraphValue {
  requireInputs(node, 1);
  attributesOf(node, {});
  const value = graph.value(node.inputs[0]!);
  if (value.kind === 'texts') return { kind: 'shape', tail: [1] };
  if (value.kind !== 'rows') throw new NotSupported('Shape of a constant');
  return { kind: 'shape', tail: value.tail };
}

function constantOfShape(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  const tensor = attributesOf(node, { value: 'tensor' }).value?.tensor;
  const size = graph.value(node.inputs[0]!);
  // An exporter of ours writes one double 0.
  const isZero =
    tensor?.elementType === 11 && tensor.dims.length === 1 && tensor.dims[0] === 1 && !tensor.isExternal;
  if (size.kind !== 'shape' || !isZero || tensor.raw?.length !== 8 || tensor.raw.some((byte) => byte !== 0))
    throw new NotSupported('ConstantOfShape of other than zeros for every row');
  const out = graph.allocate('double', size.tail);
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const from = out.start * capacity;
    numbers.fill(0, from, from + nRows * out.width);
  });
  return out;
}

export const rowOperators: Readonly<Record<string, OperatorCompiler>> = {
  'ai.onnx:Concat': concat,
  'ai.onnx:MatMul': matMul,
  'ai.onnx:Gather': gather,
  'ai.onnx:ReduceSum': reduceSum,
  'ai.onnx:Softmax': softmax,
  'ai.onnx:Shape': shape,
  'ai.onnx:ConstantOfShape': constantOfShape,
};
