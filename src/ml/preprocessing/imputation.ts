/** What stands in for a missing value, learnt from the values that are there. */
import { selectInPlace } from './selection.ts';

export const IMPUTATIONS = ['median', 'mean', 'most_frequent'] as const;
export type Imputation = (typeof IMPUTATIONS)[number];

/** A float32; `undefined` when all values are NaN. */
export function replacementOf(values: Float32Array, imputation: Imputation): number | undefined {
  if (imputation === 'median') return median(values);
  return imputation === 'mean' ? mean(values) : mostFrequent(values);
}

/** Middle of the values that are not NaN (mean of the two middle ones); `undefined` when there are none. */
export function median(values: Float32Array): number | undefined {
  const present = presentValues(values);
  if (present.length === 0) return undefined;
  const middle = present.length >> 1;
  const upper = selectInPlace(present, middle);
  if (present.length % 2 === 1) return upper;
  let lower = present[0]!;
  for (let i = 1; i < middle; i++) if (present[i]! > lower) lower = present[i]!;
  return Math.fround((lower + upper) / 2);
}

function presentValues(values: Float32Array): Float32Array {
  const present = new Float32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]!)) present[count++] = values[i]!;
  }
  return present.subarray(0, count);
}

/** Of the values that are not NaN; `undefined` when there are none. */
export function mean(values: Float32Array): number | undefined {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? undefined : Math.fround(sum / count);
}

/** Most frequent of the values that are not NaN, the smallest of equals; `undefined` when there are none. */
export function mostFrequent(values: Float32Array): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) if (!Number.isNaN(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: number | undefined;
  let bestCount = 0;
  for (const [value, count] of counts) {
    if (count > bestCount || (count === bestCount && value < best!)) {
      best = value;
      bestCount = count;
    }
  }
  return best;
}

export function imputed(values: Float32Array, replacement: number): Float32Array {
  const result = Float32Array.from(values);
  for (let i = 0; i < result.length; i++) if (Number.isNaN(result[i]!)) result[i] = replacement;
  return result;
}

/** 1 where the value is missing, 0 elsewhere. */
export function missingIndicator(values: Float32Array): Float64Array {
  return Float64Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0));
}
