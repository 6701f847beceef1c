/**
 * Quantile of values between the two that are nearest (linear, as numpy has it by default). Found by partitioning
 * around pivots (Hoare 1961), so O(n) on average; the values are reordered.
 * @param values - at least one, without NaN.
 */
export function quantileOf(values: Float64Array, quantile: number): number {
  const position = quantile * (values.length - 1);
  const lower = Math.floor(position);
  const low = select(values, lower);
  if (position === lower) return low;
  // Everything behind `lower` is at least as large; the least of it is the next one.
  let high = Number.POSITIVE_INFINITY;
  for (let i = lower + 1; i < values.length; i++) if (values[i]! < high) high = values[i]!;
  return low + (position - lower) * (high - low);
}

/** The k-th smallest; smaller ones lie before it afterwards, larger ones behind it. */
function select(values: Float64Array, k: number): number {
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let left = from;
    let right = to;
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left <= right) {
        const value = values[left]!;
        values[left++] = values[right]!;
        values[right--] = value;
      }
    }
    if (k <= right) to = right;
    else if (k >= left) from = left;
    else break;
  }
  return values[k]!;
}
