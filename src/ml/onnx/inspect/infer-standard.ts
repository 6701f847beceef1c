/** Shapes and types of the allowed operators of ai.onnx; an operator that is not in the table is not allowed. */
import { elementCount } from '../read/tensor-numbers.ts';
import { indexingOperators } from './infer-indexing.ts';
import { shapingOperators } from './infer-shaping.ts';
import { areEqual, axisOf, broadcast, constantDim, invalid, type Shape } from './shape.ts';
import { factsOfTensor, type Infer, type NodeView, Type, type ValueFacts } from './value-facts.ts';

const isNumber = (type: number) => type !== Type.string && type !== Type.bool;

function requireNumbers(view: NodeView): void {
  for (const facts of view.inputs)
    if (facts !== undefined && !isNumber(facts.elementType))
      throw invalid(view.where, 'it takes numbers, and one of its inputs is text or bool');
}

function requireSameType(view: NodeView): number {
  const types = view.inputs.flatMap((facts) => (facts === undefined ? [] : [facts.elementType]));
  if (new Set(types).size !== 1) throw invalid(view.where, 'its inputs have different element types');
  return types[0]!;
}

/** Of one input, element by element; others are parameters. */
const unary: Infer = (view) => {
  if (!isNumber(view.input(0).elementType)) throw invalid(view.where, 'it takes numbers');
  return [{ elementType: view.input(0).elementType, shape: view.shape(0) }];
};

const binary: Infer = (view) => {
  view.input(0);
  requireNumbers(view);
  const elementType = requireSameType(view);
  const shape = broadcast(shapesOf(view), view.where);
  return [{ elementType, shape, ...productOfInts(view) }];
};

/** The arithmetic on shapes that exporters write: products. */
function productOfInts({ node, inputs }: NodeView): Pick<ValueFacts, 'ints'> {
  const [left, right] = inputs;
  if (node.opType !== 'Mul' || left?.ints === undefined || right?.ints === undefined) return {};
  const length = Math.max(left.ints.length, right.ints.length);
  if ([left, right].some(({ ints }) => ints!.length !== 1 && ints!.length !== length)) return {};
  const at = (ints: ValueFacts['ints'], i: number) => ints![ints!.length === 1 ? 0 : i]!;
  return {
    ints: Array.from({ length }, (_, i) => {
      const [a, b] = [at(left.ints, i), at(right.ints, i)];
      return { size: a.size * b.size, power: a.power + b.power };
    }),
  };
}

const comparison: Infer = (view) => {
  view.input(1);
  requireSameType(view);
  return [{ elementType: Type.bool, shape: broadcast(shapesOf(view), view.where) }];
};

const logic: Infer = (view) => {
  view.input(0);
  if (requireSameType(view) !== Type.bool) throw invalid(view.where, 'it takes bools');
  return [{ elementType: Type.bool, shape: broadcast(shapesOf(view), view.where) }];
};

const predicate: Infer = (view) => [{ elementType: Type.bool, shape: unary(view)[0]!.shape }];

const where: Infer = (view) => {
  const [condition, yes, no] = [0, 1, 2].map((i) => view.input(i)) as [ValueFacts, ValueFacts, ValueFacts];
  if (condition.elementType !== Type.bool || yes.elementType !== no.elementType)
    throw invalid(view.where, 'it takes a bool and two tensors of one type');
  return [{ elementType: yes.elementType, shape: broadcast(shapesOf(view), view.where) }];
};

const identity: Infer = (view) => [view.input(0)];

const dropout: Infer = (view) => {
  const kept = unary(view)[0]!;
  return [kept, { elementType: Type.bool, shape: kept.shape }];
};

const castTypes = new Set<number>(Object.values(Type));

const cast: Infer = (view) => {
  const from = view.input(0);
  const to = view.node.opType === 'Cast' ? view.int('to', 0) : view.input(1).elementType;
  if (!castTypes.has(to)) throw invalid(view.where, `it casts to the element type ${to}, which is not taken`);
  const keepsInts = to === Type.int64 || to === Type.int32;
  return [
    {
      elementType: to,
      shape: from.shape,
      ...(keepsInts && from.ints !== undefined ? { ints: from.ints } : {}),
    },
  ];
};

const constant: Infer = (view) => {
  const tensor = view.attribute('value')?.tensor;
  if (tensor !== undefined) {
    elementCount(tensor);
    return [factsOfTensor(tensor)];
  }
  const float = view.attribute('value_float') ?? view.attribute('value_floats');
  const int = view.attribute('value_int') ?? view.attribute('value_ints');
  const text = view.attribute('value_string') ?? view.attribute('value_strings');
  const one = float ?? int ?? text;
  if (one === undefined) throw invalid(view.where, 'it has no value');
  const isList = one.name.endsWith('s');
  const list = float === undefined ? (int === undefined ? text!.strings : int.ints) : float.floats;
  const shape: Shape = isList ? [constantDim(list.length)] : [];
  if (int !== undefined) {
    const ints = isList ? Array.from(int.ints.subarray(0, 65), constantDim) : [constantDim(int.int)];
    return [{ elementType: Type.int64, shape, ...(ints.length <= 64 ? { ints } : {}) }];
  }
  return [{ elementType: float === undefined ? Type.string : Type.float, shape }];
};

const reduce: Infer = (view) => {
  if (!isNumber(view.input(0).elementType)) throw invalid(view.where, 'it takes numbers');
  const shape = view.shape(0);
  const keeps = view.int('keepdims', 1) === 1;
  const axes = view.constantInts(1, 'axes');
  if ((axes === undefined || axes.length === 0) && view.int('noop_with_empty_axes', 0) !== 0)
    return [view.input(0)];
  const reduced = new Set(
    axes === undefined || axes.length === 0
      ? shape.map((_, i) => i)
      : axes.map((axis) => axisOf(axis, shape.length, view.where)),
  );
  const kept = shape.flatMap((dim, i) => (reduced.has(i) ? (keeps ? [constantDim(1)] : []) : [dim]));
  return [{ elementType: view.input(0).elementType, shape: kept }];
};

const arg: Infer = (view) => {
  const shape = view.shape(0);
  const axis = axisOf(view.int('axis', 0), shape.length, view.where);
  const keeps = view.int('keepdims', 1) === 1;
  const kept = shape.flatMap((dim, i) => (i === axis ? (keeps ? [constantDim(1)] : []) : [dim]));
  return [{ elementType: Type.int64, shape: kept }];
};

const matMul: Infer = (view) => {
  requireNumbers(view);
  const elementType = requireSameType(view);
  const [left, right] = [view.shape(0), view.shape(1)];
  if (left.length === 0 || right.length === 0) throw invalid(view.where, 'it takes no scalars');
  const a: Shape = left.length === 1 ? [constantDim(1), ...left] : left;
  const b: Shape = right.length === 1 ? [...right, constantDim(1)] : right;
  if (!areEqual(a.at(-1)!, b.at(-2)!)) throw invalid(view.where, 'its matrices have different inner sizes');
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)], view.where);
  const rows = left.length === 1 ? [] : [a.at(-2)!];
  const columns = right.length === 1 ? [] : [b.at(-1)!];
  return [{ elementType, shape: [...batch, ...rows, ...columns] }];
};

const gemm: Infer = (view) => {
  requireNumbers(view);
  const elementType = requireSameType(view);
  const [left, right] = [view.shape(0), view.shape(1)];
  if (left.length !== 2 || right.length !== 2) throw invalid(view.where, 'it takes matrices');
  const [rows, inner] = view.int('transA', 0) === 0 ? left : [left[1]!, left[0]!];
  const [other, columns] = view.int('transB', 0) === 0 ? right : [right[1]!, right[0]!];
  if (!areEqual(inner!, other!)) throw invalid(view.where, 'its matrices have different inner sizes');
  const shape = [rows!, columns!];
  if (view.inputs[2] !== undefined) broadcast([shape, view.shape(2)], view.where);
  return [{ elementType, shape }];
};

const normalization: Infer = (view) => {
  requireNumbers(view);
  return [{ elementType: view.input(0).elementType, shape: view.shape(0) }];
};

const stringNormalizer: Infer = (view) => {
  if (view.input(0).elementType !== Type.string) throw invalid(view.where, 'it takes text');
  if ((view.attribute('stopwords')?.strings.length ?? 0) > 0)
    throw invalid(view.where, 'stop words would make its size depend on data');
  return [view.input(0)];
};

function shapesOf({ inputs }: NodeView): Shape[] {
  return inputs.flatMap((facts) => (facts === undefined ? [] : [facts.shape]));
}

const each = (names: string, infer: Infer): Record<string, Infer> =>
  Object.fromEntries(names.split(' ').map((name) => [name, infer]));

export const standardOperators: Readonly<Record<string, Infer>> = {
  ...each(
    'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh CumSum Elu Erf Exp Floor Gelu HardSigmoid HardSwish Hardmax LeakyRelu Log LogSoftmax LpNormalization Mish Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu',
    unary,
  ),
  ...each('Add BitShift Div Max Mean Min Mod Mul PRelu Pow Sub Sum', binary),
  ...each('Equal Greater GreaterOrEqual Less LessOrEqual', comparison),
  ...each('And Not Or Xor', logic),
  ...each('IsInf IsNaN', predicate),
  ...each(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare',
    reduce,
  ),
  ...each('ArgMax ArgMin', arg),
  ...each('BatchNormalization InstanceNormalization LayerNormalization RMSNormalization', normalization),
  ...each('Cast CastLike', cast),
  ...{ Where: where, Identity: identity, Dropout: dropout, Constant: constant },
  ...{ MatMul: matMul, Gemm: gemm, StringNormalizer: stringNormalizer },
  ...shapingOperators,
  ...indexingOperators,
};
