/** Mean and standard deviation of a column, and the column in units of them. */
export interface Standardization {
  readonly mean: number;
  /** Population standard deviation; 0 for a constant column. */
  readonly scale: number;
}

/** Two passes, so that large offsets (dates) do not cancel. */
export function standardization(values: Float32Array): Standardization {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  const scale = Math.sqrt(squares / values.length);
  // A spread below the rounding of the mean itself is a constant column.
  return { mean, scale: scale <= Math.abs(mean) * 1e-12 ? 0 : scale };
}

export function standardized(values: Float32Array, { mean, scale }: Standardization): Float64Array {
  return Float64Array.from(values, (value) => (value - mean) / scale);
}
