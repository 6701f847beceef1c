/** A column around a center, in units of its spread. */
export const SCALINGS = ['standard', 'minmax', 'robust', 'none'] as const;
/**
 * standard: mean and standard deviation; minmax: least value and range; robust: median and interquartile range (the
 * standard deviation where that says nothing); none: the values themselves.
 */
export type Scaling = (typeof SCALINGS)[number];

/** As a share of the standard deviation: less means that half of the values are all but the same. */
const LEAST_RANGE = 1e-6;

/** The smallest float32 with all its digits; a runtime may round what is smaller to 0. */
const SMALLEST_NORMAL = 2 ** -126;

export interface Scale {
  readonly center: number;
  /** 0 for a constant column. */
  readonly scale: number;
}

/** @param values - at least one, no NaN. */
export function fitScale(values: Float32Array, scaling: Scaling): Scale {
  const { mean, deviation } = meanAndDeviation(values);
  // A spread below the rounding of the mean itself is a constant column.
  if (deviation <= Math.max(Math.abs(mean) * 1e-12, SMALLEST_NORMAL)) return { center: mean, scale: 0 };
  switch (scaling) {
    case 'standard':
      return { center: mean, scale: deviation };
    // Intercepts are not penalized and take up any shift, which leaves the center free: around the mean, sums of
    // products keep their digits.
    case 'none':
      return { center: mean, scale: 1 };
    case 'minmax': {
      let [least, most] = [values[0]!, values[0]!];
      for (const value of values) {
        if (value < least) least = value;
        if (value > most) most = value;
      }
      return { center: least, scale: most - least };
    }
    case 'robust': {
      const sorted = Float32Array.from(values).sort();
      const range = quantile(sorted, 0.75) - quantile(sorted, 0.25);
      return { center: quantile(sorted, 0.5), scale: range > deviation * LEAST_RANGE ? range : deviation };
    }
  }
}

/** Population standard deviation, in two passes, so that large offsets do not cancel. */
function meanAndDeviation(values: Float32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) * (values[i]! - mean);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** Between the two nearest ranks, as numpy's default. */
function quantile(sorted: Float32Array, share: number): number {
  const position = share * (sorted.length - 1);
  const lower = Math.floor(position);
  const upper = Math.ceil(position);
  return sorted[lower]! + (position - lower) * (sorted[upper]! - sorted[lower]!);
}

export function scaled(values: Float32Array, { center, scale }: Scale): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i]! - center) / scale;
  return result;
}
