/** Operators that take one number of each input and give one. */
import type { OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import type { GraphCompiler, OperatorCompiler } from './graph-compiler.ts';
import {
  type Constant,
  exactInt64,
  MISSING_INT64,
  MOST_DATE,
  type NumberType,
  type Rows,
} from './graph-value.ts';
import { attributesOf, requireInputs } from './node-attributes.ts';
import { NotSupported } from './not-supported.ts';

type Operand = Rows | Constant;

/** How an operand is walked: from `start` rows' worth on, so far for the next row, so far for the next column. */
interface Walk {
  readonly constant: Float64Array | undefined;
  readonly start: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

function walkOf(operand: Operand): Walk {
  if (operand.kind === 'constant') {
    const columnStep = operand.values.length === 1 ? 0 : 1;
    return { constant: operand.values, start: 0, rowStep: 0, columnStep };
  }
  const { start, width } = operand;
  return { constant: undefined, start, rowStep: width, columnStep: width === 1 ? 0 : 1 };
}

/** Columns of an operand; only what is the same for every row may be constant. */
function columnsOf(operand: Operand): number {
  if (operand.kind === 'rows') {
    if (operand.tail.length !== 1) throw new NotSupported('arithmetic on more than two dimensions');
    return operand.width;
  }
  const { dims } = operand;
  if (dims.length > 2 || (dims.length === 2 && dims[0] !== 1))
    throw new NotSupported('a constant that differs from row to row');
  return dims.at(-1) ?? 1;
}

function operandOf(graph: GraphCompiler, name: string): Operand {
  const value = graph.value(name);
  if (value.kind !== 'rows' && value.kind !== 'constant') throw new NotSupported(`"${name}" is no number`);
  return value;
}

function commonWidth(operands: readonly Operand[]): number {
  if (operands.every(({ kind }) => kind === 'constant')) throw new NotSupported('arithmetic on constants');
  const widths = operands.map(columnsOf);
  const width = Math.max(...widths);
  if (widths.some((one) => one !== 1 && one !== width))
    throw new NotSupported('operands of different widths');
  return width;
}

type Bounds = readonly [least: number, most: number];

function boundsOf(operand: Operand): Bounds {
  if (operand.kind === 'rows') return [operand.least, operand.most];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of operand.values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

interface BinaryOperator {
  readonly apply: (left: number, right: number) => number;
  /** Of int64, where it is exact in doubles. */
  readonly applyInt64?: (left: number, right: number) => number;
  readonly bounds?: (left: Bounds, right: Bounds) => Bounds;
}

const extremes = (values: readonly number[]): Bounds => [Math.min(...values), Math.max(...values)];

/** The one positive divisor. */
function divisorOf([least, most]: Bounds): number {
  if (least !== most || !(least > 0))
    throw new NotSupported('a division by what is not one positive constant');
  return least;
}

const binaryOperators: Readonly<Record<string, BinaryOperator>> = {
  Add: {
    apply: (left, right) => left + right,
    applyInt64: (left, right) => left + right,
    bounds: ([a, b], [c, d]) => [a + c, b + d],
  },
  Sub: {
    apply: (left, right) => left - right,
    applyInt64: (left, right) => left - right,
    bounds: ([a, b], [c, d]) => [a - d, b - c],
  },
  Mul: {
    apply: (left, right) => left * right,
    applyInt64: (left, right) => left * right,
    bounds: ([a, b], [c, d]) => extremes([a * c, a * d, b * c, b * d]),
  },
  Div: {
    apply: (left, right) => left / right,
    // The quotient of two integers below 2^53 is never rounded up to the next one.
    applyInt64: (left, right) => Math.trunc(left / right),
    bounds: ([a, b], right) => [Math.trunc(a / divisorOf(right)), Math.trunc(b / divisorOf(right))],
  },
  Mod: {
    apply: () => {
      throw new NotSupported('Mod of floats');
    },
    // The sign of the divisor, as ONNX has it without fmod.
    applyInt64: (left, right) => left - Math.floor(left / right) * right,
    bounds: (_, right) => [0, divisorOf(right) - 1],
  },
};

function binary(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 2);
  const { fmod } = attributesOf(node, node.opType === 'Mod' ? { fmod: 'int' } : ({} as { fmod: 'int' }));
  const [left, right] = node.inputs.map((name) => operandOf(graph, name)) as [Operand, Operand];
  const { type } = left;
  const operator = binaryOperators[node.opType]!;
  if (
    right.type !== type ||
    type === 'bool' ||
    (node.opType === 'Mod' && (type !== 'int64' || fmod?.int === 1))
  )
    throw new NotSupported(`${node.opType} of ${type} and ${right.type}`);
  const width = commonWidth([left, right]);
  let about = {};
  if (type === 'int64') {
    const [least, most] = operator.bounds!(boundsOf(left), boundsOf(right));
    if (!(least >= -exactInt64 && most <= exactInt64)) throw new NotSupported('integers beyond 2^53');
    about = { least, most };
  }
  const out = graph.allocate(type, [width], about);
  if (type === 'double' && (node.opType === 'Add' || node.opType === 'Sub')) {
    sumStep(graph, left, right, node.opType === 'Add' ? 1 : -1, out);
    return out;
  }
  const apply =
    type === 'int64'
      ? operator.applyInt64!
      : type === 'float'
        ? (a: number, b: number) => Math.fround(operator.apply(a, b))
        : operator.apply;
  pairStep(graph, left, right, out, apply);
  return out;
}

function pairStep(
  graph: GraphCompiler,
  left: Operand,
  right: Operand,
  out: Rows,
  apply: (left: number, right: number) => number,
): void {
  const [one, other] = [walkOf(left), walkOf(right)];
  const { start, width } = out;
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const a = one.constant ?? numbers;
    const b = other.constant ?? numbers;
    let [i, j, k] = [one.start * capacity, other.start * capacity, start * capacity];
    for (let row = 0; row < nRows; row++, i += one.rowStep, j += other.rowStep, k += width)
      for (let column = 0; column < width; column++)
        numbers[k + column] = apply(a[i + column * one.columnStep]!, b[j + column * other.columnStep]!);
  });
}

/** Every linear model adds and subtracts every number of every row: without a call for each. */
function sumStep(graph: GraphCompiler, left: Operand, right: Operand, sign: 1 | -1, out: Rows): void {
  const [one, other] = [walkOf(left), walkOf(right)];
  const { start, width } = out;
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const a = one.constant ?? numbers;
    const b = other.constant ?? numbers;
    const [aStep, bStep] = [one.columnStep, other.columnStep];
    let [i, j, k] = [one.start * capacity, other.start * capacity, start * capacity];
    for (let row = 0; row < nRows; row++, i += one.rowStep, j += other.rowStep, k += width)
      for (let column = 0, p = i, q = j; column < width; column++, p += aStep, q += bStep)
        numbers[k + column] = a[p]! + sign * b[q]!;
  });
}

function equal(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 2);
  attributesOf(node, {});
  const [left, right] = node.inputs.map((name) => operandOf(graph, name)) as [Operand, Operand];
  if (left.type !== 'int64' || right.type !== 'int64') throw new NotSupported('Equal of other than int64');
  const isMissing = left.kind === 'rows' && right.kind === 'constant' && right.values[0] === MISSING_INT64;
  const out = graph.allocate(
    'bool',
    [commonWidth([left, right])],
    isMissing ? { missingOf: left.start } : {},
  );
  pairStep(graph, left, right, out, (a, b) => (a === b ? 1 : 0));
  return out;
}

function where(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 3);
  attributesOf(node, {});
  const [condition, left, right] = node.inputs.map((name) => operandOf(graph, name)) as [
    Operand,
    Operand,
    Operand,
  ];
  if (condition.kind !== 'rows' || condition.type !== 'bool' || left.type !== right.type)
    throw new NotSupported('Where of mixed types');
  const width = commonWidth([condition, left, right]);
  const isDate = right.kind === 'rows' && right.start === condition.missingOf;
  const a = boundsOf(left);
  const b: Bounds = isDate ? [-MOST_DATE, MOST_DATE] : boundsOf(right);
  const isFloat32 = [left, right].every(
    (one) => one.type === 'float' || (one.kind === 'rows' && one.isFloat32),
  );
  const out = graph.allocate(left.type, [width], {
    isFloat32,
    least: Math.min(a[0], b[0]),
    most: Math.max(a[1], b[1]),
  });
  const [which, one, other] = [walkOf(condition), walkOf(left), walkOf(right)];
  const { start } = out;
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const yes = one.constant ?? numbers;
    const no = other.constant ?? numbers;
    let h = which.start * capacity;
    let [i, j, k] = [one.start * capacity, other.start * capacity, start * capacity];
    const [hStep, iStep, jStep] = [which.columnStep, one.columnStep, other.columnStep];
    for (let row = 0; row < nRows; row++) {
      for (let column = 0; column < width; column++)
        numbers[k + column] =
          numbers[h + column * hStep] === 1 ? yes[i + column * iStep]! : no[j + column * jStep]!;
      h += which.rowStep;
      i += one.rowStep;
      j += other.rowStep;
      k += width;
    }
  });
  return out;
}

function mapStep(graph: GraphCompiler, from: Rows, out: Rows, apply: (value: number) => number): void {
  const { width } = from;
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const [i, k] = [from.start * capacity, out.start * capacity];
    const count = nRows * width;
    for (let at = 0; at < count; at++) numbers[k + at] = apply(numbers[i + at]!);
  });
}

function isNaNOf(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  attributesOf(node, {});
  const from = graph.rows(node.inputs[0]!);
  if (from.type !== 'float' && from.type !== 'double') throw new NotSupported(`IsNaN of ${from.type}`);
  const out = graph.allocate('bool', from.tail);
  const { width } = from;
  graph.steps.push(({ numbers, capacity, nRows }) => {
    const [i, k] = [from.start * capacity, out.start * capacity];
    const count = nRows * width;
    for (let at = 0; at < count; at++) numbers[k + at] = Number.isNaN(numbers[i + at]!) ? 1 : 0;
  });
  return out;
}

/** A function of doubles. */
function ofDouble(apply: (value: number) => number): OperatorCompiler {
  return (node, graph) => {
    requireInputs(node, 1);
    attributesOf(node, {});
    const from = graph.rows(node.inputs[0]!);
    if (from.type !== 'double') throw new NotSupported(`${node.opType} of ${from.type}`);
    const out = graph.allocate('double', from.tail);
    mapStep(graph, from, out, apply);
    return out;
  };
}

function clip(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 3);
  attributesOf(node, {});
  const from = graph.rows(node.inputs[0]!);
  const [least, most] = node.inputs.slice(1).map((name) => graph.constant(name)) as [Constant, Constant];
  if ([from, least, most].some(({ type }) => type !== 'double') || least.dims.length + most.dims.length > 0)
    throw new NotSupported('Clip of other than doubles');
  const [low, high] = [least.values[0]!, most.values[0]!];
  const out = graph.allocate('double', from.tail);
  mapStep(graph, from, out, (value) => (value < low ? low : value > high ? high : value));
  return out;
}

const castTargets: Readonly<Record<number, NumberType>> = { 1: 'float', 11: 'double' };

/** From any number to float or double; what needs no rounding is the same numbers under another type. */
function cast(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  const to = castTargets[attributesOf(node, { to: 'int' }).to?.int ?? 0];
  const from = graph.rows(node.inputs[0]!);
  if (to === undefined) throw new NotSupported('Cast to other than float and double');
  if (to === 'double' || from.isFloat32) return { ...from, type: to };
  const out = graph.allocate('float', from.tail);
  mapStep(graph, from, out, Math.fround);
  return out;
}

export const elementwiseOperators: Readonly<Record<string, OperatorCompiler>> = {
  ...Object.fromEntries(Object.keys(binaryOperators).map((name) => [`ai.onnx:${name}`, binary])),
  'ai.onnx:Equal': equal,
  'ai.onnx:Where': where,
  'ai.onnx:IsNaN': isNaNOf,
  'ai.onnx:Sigmoid': ofDouble((value) => 1 / (1 + Math.exp(-value))),
  'ai.onnx:Exp': ofDouble(Math.exp),
  'ai.onnx:Clip': clip,
  'ai.onnx:Cast': cast,
};
