/** Operators that pick, cut and join. */
import { areEqual, axisOf, constantDim, type Dim, invalid, type Shape } from './shape.ts';
import { type Infer, type NodeView, Type, type ValueFacts } from './value-facts.ts';

const concat: Infer = (view) => {
  const first = view.input(0);
  const axis = axisOf(view.int('axis', 1), first.shape.length, view.where);
  let size = 0;
  let power = 0;
  for (const facts of view.inputs) {
    if (facts === undefined || facts.elementType !== first.elementType)
      throw invalid(view.where, 'its inputs have different element types');
    const isAlike = (dim: Dim, i: number) =>
      i === axis || (facts.shape[i] !== undefined && areEqual(dim, facts.shape[i]));
    if (facts.shape.length !== first.shape.length || !first.shape.every(isAlike))
      throw invalid(view.where, 'its inputs differ in another dimension');
    const dim = facts.shape[axis]!;
    if (size > 0 && dim.size > 0 && dim.power !== power)
      throw invalid(view.where, 'it joins rows with what are no rows');
    if (dim.size > 0) power = dim.power;
    size += dim.size;
  }
  const ints = view.inputs.map((facts) => facts?.ints);
  return [
    {
      elementType: first.elementType,
      shape: first.shape.with(axis, { size, power }),
      ...(first.shape.length === 1 && ints.every((one) => one !== undefined) ? { ints: ints.flat() } : {}),
    },
  ];
};

const split: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  const axis = axisOf(view.int('axis', 0), shape.length, view.where);
  const { size, power } = shape[axis]!;
  if (power > 0) throw invalid(view.where, 'it splits the rows');
  const count = view.node.outputs.length;
  const parts =
    view.constantInts(1, 'split') ??
    Array.from({ length: count }, (_, i) => {
      const part = Math.ceil(size / count);
      return Math.max(0, Math.min(part, size - i * part));
    });
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (parts.length !== count || total !== size || parts.some((part) => part < 0))
    throw invalid(view.where, 'its parts are not the whole');
  return parts.map((part) => ({ elementType, shape: shape.with(axis, constantDim(part)) }));
};

const slice: Infer = (view) => {
  const { elementType, shape, ints } = view.input(0);
  const starts = view.constantInts(1, 'starts');
  const ends = view.constantInts(2, 'ends');
  if (starts === undefined || ends === undefined) throw invalid(view.where, 'it has no limits');
  const axes = view.constantInts(3, 'axes') ?? starts.map((_, i) => i);
  const steps = view.constantInts(4) ?? starts.map(() => 1);
  let sliced: Shape = shape;
  let kept = ints;
  axes.forEach((one, i) => {
    const axis = axisOf(one, shape.length, view.where);
    const [start, end, step] = [starts[i], ends[i], steps[i]];
    if (start === undefined || end === undefined || step === undefined || step === 0)
      throw invalid(view.where, 'its limits differ in number');
    const dim = sliced[axis]!;
    if (dim.power > 0) {
      // All rows, in their order or in the other one, are the only part of unknown rows whose size is known.
      const isWhole = step === 1 ? start === 0 && end >= 2 ** 31 - 1 : false;
      if (!isWhole) throw invalid(view.where, 'it cuts the rows');
      return;
    }
    const picked = positions(dim.size, start, end, step);
    sliced = sliced.with(axis, constantDim(picked.count));
    if (kept !== undefined && kept.length === dim.size)
      kept = Array.from({ length: picked.count }, (_, k) => ints![picked.first + k * step]!);
  });
  return [{ elementType, shape: sliced, ...(kept === undefined ? {} : { ints: kept }) }];
};

function positions(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (at: number, low: number, high: number) =>
    Math.max(low, Math.min(high, at < 0 ? at + size : at));
  const first = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
  const last = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

const gather: Infer = (view) => {
  const { elementType, shape, ints } = view.input(0);
  const index = view.input(1);
  requireIndex(view, index);
  const axis = axisOf(view.int('axis', 0), shape.length, view.where);
  const result = [...shape.slice(0, axis), ...index.shape, ...shape.slice(axis + 1)];
  const picked = index.ints?.map(({ size }) => ints?.[size < 0 ? size + ints.length : size]);
  return [
    {
      elementType,
      shape: result,
      ...(picked === undefined || picked.some((dim) => dim === undefined) ? {} : { ints: picked as Dim[] }),
    },
  ];
};

const gatherElements: Infer = (view) => {
  requireIndex(view, view.input(1));
  return [{ elementType: view.input(0).elementType, shape: view.shape(1) }];
};

const gatherNd: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  const index = view.input(1);
  requireIndex(view, index);
  const depth = index.shape.at(-1);
  const batch = view.int('batch_dims', 0);
  if (depth === undefined || depth.power > 0 || depth.size + batch > shape.length || batch < 0)
    throw invalid(view.where, 'its index does not fit');
  return [{ elementType, shape: [...index.shape.slice(0, -1), ...shape.slice(batch + depth.size)] }];
};

/** The first input with some of its elements replaced. */
const scatter: Infer = (view) => {
  requireIndex(view, view.input(1));
  if (view.input(2).elementType !== view.input(0).elementType)
    throw invalid(view.where, 'its inputs have different element types');
  return [{ elementType: view.input(0).elementType, shape: view.shape(0) }];
};

const topK: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  const count = view.attribute('k')?.int ?? view.constantInts(1)?.[0];
  const axis = axisOf(view.int('axis', -1), shape.length, view.where);
  const dim = shape[axis]!;
  if (count === undefined || dim.power > 0 || !(count >= 0 && count <= dim.size))
    throw invalid(view.where, 'it takes more than there are');
  const best = shape.with(axis, constantDim(count));
  return [
    { elementType, shape: best },
    { elementType: Type.int64, shape: best },
  ];
};

function requireIndex({ where }: NodeView, { elementType }: ValueFacts): void {
  if (elementType !== Type.int64 && elementType !== Type.int32)
    throw invalid(where, 'its index holds no integers');
}

export const indexingOperators: Readonly<Record<string, Infer>> = {
  ...{ Concat: concat, Split: split, Slice: slice, Gather: gather, GatherElements: gatherElements },
  ...{ GatherND: gatherNd, ScatterElements: scatter, ScatterND: scatter, TopK: topK },
};
