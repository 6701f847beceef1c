/**
 * The middle value, the mean of the two middle ones without weights. With weights the first value at which half of the
 * weight is reached, as scikit-learn's median_absolute_error has it.
 */
export function weightedMedian(values: Float64Array, sampleWeights?: Float64Array): number {
  if (sampleWeights === undefined) {
    const sorted = values.slice().sort();
    const upper = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
  }
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]! || a - b);
  const half = sampleWeights.reduce((sum, weight) => sum + weight, 0) / 2;
  let reached = 0;
  for (const row of order) {
    reached += sampleWeights[row]!;
    if (reached >= half && reached > 0) return values[row]!;
  }
  return values[order.at(-1)!]!;
}
