/** Shapes in terms of N, the number of rows, which nobody knows before a call. */
import { Refused } from './refusal.ts';

/** size × N^power; N and constants are all that a dimension may be made of. */
export interface Dim {
  readonly size: number;
  readonly power: number;
}

export type Shape = readonly Dim[];

export const constantDim = (size: number): Dim => ({ size, power: 0 });
export const BATCH: Dim = { size: 1, power: 1 };

export const isOne = ({ size, power }: Dim): boolean => size === 1 && power === 0;
export const areEqual = (a: Dim, b: Dim): boolean =>
  a.size === b.size && (a.power === b.power || a.size === 0);
export const times = (a: Dim, b: Dim): Dim => ({ size: a.size * b.size, power: a.power + b.power });

export function elementsOf(shape: Shape): Dim {
  return shape.reduce(times, constantDim(1));
}

export function constantShape(dims: readonly number[]): Shape {
  return dims.map(constantDim);
}

/** As people write it: -1 for N. */
export function toNumbers(shape: Shape): number[] {
  return shape.map(({ size, power }) => (power === 0 ? size : -1));
}

export function shown(shape: Shape): string {
  return `[${shape.map(({ size, power }) => (power === 0 ? String(size) : `${size === 1 ? '' : size}N${power > 1 ? `^${power}` : ''}`)).join(', ')}]`;
}

/** The shape of an operation on elements, aligned at the last dimension. */
export function broadcast(shapes: readonly Shape[], where: string): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, at) => {
    let common = constantDim(1);
    for (const shape of shapes) {
      const dim = shape[at - (rank - shape.length)];
      if (dim === undefined || isOne(dim) || areEqual(dim, common)) continue;
      if (!isOne(common)) throw invalid(where, `shapes ${shapes.map(shown).join(' and ')} do not fit`);
      common = dim;
    }
    return common;
  });
}

/** An axis in [0, rank), which the file may count from the end. */
export function axisOf(axis: number, rank: number, where: string): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank)
    throw invalid(where, `axis ${axis} is beyond ${rank} dimensions`);
  return at;
}

export function invalid(where: string, what: string): Refused {
  return new Refused('ONNX_GRAPH_INVALID', `${where}: ${what}`);
}
