/** Operators whose result has a shape that an input of theirs spells: only what is known before any row comes may. */
import { elementCount } from '../read/tensor-numbers.ts';
import { Refused } from './refusal.ts';
import {
  areEqual,
  axisOf,
  broadcast,
  constantDim,
  type Dim,
  elementsOf,
  invalid,
  isOne,
  type Shape,
  times,
} from './shape.ts';
import { type Infer, Type } from './value-facts.ts';

const shapeOf: Infer = (view) => {
  const shape = view.shape(0);
  const clamp = (at: number) => Math.max(0, Math.min(shape.length, at < 0 ? at + shape.length : at));
  const ints = shape.slice(clamp(view.int('start', 0)), clamp(view.int('end', shape.length)));
  return [{ elementType: Type.int64, shape: [constantDim(ints.length)], ints }];
};

const size: Infer = (view) => [{ elementType: Type.int64, shape: [], ints: [elementsOf(view.shape(0))] }];

const reshape: Infer = (view) => {
  const from = view.input(0);
  const wanted = view.ints(1, 'shape');
  if (wanted === undefined) throw invalid(view.where, 'it has no shape');
  const keepsZero = view.int('allowzero', 0) !== 0;
  const known = wanted.map((dim, i) => {
    if (dim.size !== 0 || keepsZero) return dim;
    const copied = from.shape[i];
    if (copied === undefined) throw invalid(view.where, `dimension ${i} cannot be copied`);
    return copied;
  });
  const total = elementsOf(from.shape);
  const isRest = ({ size: value, power }: Dim) => value === -1 && power === 0;
  if (known.filter(isRest).length > 1) throw invalid(view.where, 'two dimensions are left open');
  const rest = elementsOf(known.filter((dim) => !isRest(dim)));
  const open = { size: total.size / rest.size, power: total.power - rest.power };
  const shape = known.map((dim) => (isRest(dim) ? open : dim));
  if (!shape.every(isPossible) || !areEqual(elementsOf(shape), total))
    throw invalid(view.where, 'the new shape holds another number of elements');
  return [{ elementType: from.elementType, shape, ...(from.ints === undefined ? {} : { ints: from.ints }) }];
};

const flatten: Infer = (view) => {
  const shape = view.shape(0);
  const axis = view.int('axis', 1);
  const at = axis === shape.length ? axis : axisOf(axis, shape.length, view.where);
  return [
    {
      elementType: view.input(0).elementType,
      shape: [elementsOf(shape.slice(0, at)), elementsOf(shape.slice(at))],
    },
  ];
};

const transpose: Infer = (view) => {
  const shape = view.shape(0);
  const order = Array.from(view.attribute('perm')?.ints ?? shape.map((_, i) => shape.length - 1 - i));
  if (order.length !== shape.length || new Set(order).size !== shape.length)
    throw invalid(view.where, 'its order is none of the dimensions');
  const turned = order.map((axis) => shape[axisOf(axis, shape.length, view.where)]!);
  return [{ elementType: view.input(0).elementType, shape: turned }];
};

const squeeze: Infer = (view) => {
  const { elementType, shape, ints } = view.input(0);
  const axes = view.constantInts(1, 'axes');
  const gone = new Set(
    axes === undefined
      ? shape.flatMap((dim, i) => (isOne(dim) ? [i] : []))
      : axes.map((axis) => axisOf(axis, shape.length, view.where)),
  );
  if ([...gone].some((i) => !isOne(shape[i]!))) throw invalid(view.where, 'a dimension is not 1');
  const kept = shape.filter((_, i) => !gone.has(i));
  return [{ elementType, shape: kept, ...(ints === undefined ? {} : { ints }) }];
};

const unsqueeze: Infer = (view) => {
  const { elementType, shape, ints } = view.input(0);
  const axes = view.constantInts(1, 'axes') ?? [];
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank, view.where)));
  if (added.size !== axes.length) throw invalid(view.where, 'an axis is there twice');
  const rest = [...shape];
  const widened = Array.from({ length: rank }, (_, i) => (added.has(i) ? constantDim(1) : rest.shift()!));
  return [{ elementType, shape: widened, ...(ints === undefined ? {} : { ints }) }];
};

const expand: Infer = (view) => {
  const wanted = possibleShape(view.ints(1), view.where);
  return [{ elementType: view.input(0).elementType, shape: broadcast([view.shape(0), wanted], view.where) }];
};

const tile: Infer = (view) => {
  const repeats = possibleShape(view.ints(1), view.where);
  const shape = view.shape(0);
  if (repeats.length !== shape.length) throw invalid(view.where, 'it repeats other dimensions');
  return [{ elementType: view.input(0).elementType, shape: shape.map((dim, i) => times(dim, repeats[i]!)) }];
};

const constantOfShape: Infer = (view) => {
  const tensor = view.attribute('value')?.tensor;
  if (tensor !== undefined && elementCount(tensor) !== 1) throw invalid(view.where, 'its value is no scalar');
  return [{ elementType: tensor?.elementType ?? Type.float, shape: possibleShape(view.ints(0), view.where) }];
};

const range: Infer = (view) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => view.constantInts(i)?.[0]);
  if (start === undefined || limit === undefined || delta === undefined || delta === 0)
    throw new Refused(
      'ONNX_SHAPE_FROM_DATA',
      `${view.where}: its limits are not constant`,
      'make them constant',
    );
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return [{ elementType: view.input(0).elementType, shape: [constantDim(count)] }];
};

const oneHot: Infer = (view) => {
  const depth = view.constantInts(1)?.[0];
  const shape = view.shape(0);
  if (depth === undefined || !(depth >= 0)) throw invalid(view.where, 'its depth is no size');
  const axis = axisOf(view.int('axis', -1), shape.length + 1, view.where);
  return [{ elementType: view.input(2).elementType, shape: shape.toSpliced(axis, 0, constantDim(depth)) }];
};

const pad: Infer = (view) => {
  const shape = view.shape(0);
  const pads = view.constantInts(1, 'pads') ?? [];
  if (pads.length !== 2 * shape.length || view.inputs[3] !== undefined)
    throw invalid(view.where, 'it does not pad every dimension');
  const padded = shape.map((dim, i) => {
    const added = pads[i]! + pads[i + shape.length]!;
    if (added === 0) return dim;
    if (dim.power > 0 || !(dim.size + added >= 0)) throw invalid(view.where, 'it pads the rows');
    return constantDim(dim.size + added);
  });
  return [{ elementType: view.input(0).elementType, shape: padded }];
};

function possibleShape(ints: readonly Dim[] | undefined, where: string): Shape {
  if (ints === undefined || !ints.every(isPossible)) throw invalid(where, 'a dimension is negative');
  return ints;
}

function isPossible({ size: value, power }: Dim): boolean {
  return Number.isInteger(value) && value >= 0 && power >= 0;
}

export const shapingOperators: Readonly<Record<string, Infer>> = {
  ...{ Shape: shapeOf, Size: size, Reshape: reshape, Flatten: flatten, Transpose: transpose },
  ...{ Squeeze: squeeze, Unsqueeze: unsqueeze, Expand: expand, Tile: tile, Pad: pad },
  ...{ ConstantOfShape: constantOfShape, Range: range, OneHot: oneHot },
};
