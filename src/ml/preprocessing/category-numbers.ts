/** A number per category of a column, as a lookup table; ordinal and target encoding are made of it. */
import { type CategoryFeature, MISSING_CODE, UNKNOWN_CODE } from './feature-columns.ts';

/** float32 values; `null` is NaN, which plain data has no word for. */
export interface CategoryNumbers {
  readonly ofCategory: readonly (number | null)[];
  readonly ofMissing: number | null;
  /** Of categories that training did not see. */
  readonly ofUnknown: number | null;
}

/** Each category is its position in their sorted list. */
export function ordinalNumbers({ spec }: CategoryFeature): CategoryNumbers {
  return { ofCategory: spec.categories.map((_, position) => position), ofMissing: null, ofUnknown: null };
}

export function categoryNumbers(codes: Int32Array, numbers: CategoryNumbers): Float32Array {
  const result = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    const value =
      code === MISSING_CODE
        ? numbers.ofMissing
        : code === UNKNOWN_CODE
          ? numbers.ofUnknown
          : numbers.ofCategory[code]!;
    result[i] = value ?? Number.NaN;
  }
  return result;
}
