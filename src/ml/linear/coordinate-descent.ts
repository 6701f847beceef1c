/**
 * Cyclic coordinate descent on ½ vᵀ A v - bᵀ v + l1 |v|₁ + ½ l2 |v|² (Friedman, Hastie and Tibshirani 2010, with
 * covariance updates: a step costs O(n) where a value changes, whatever the number of rows).
 */
export interface PenalizedQuadratic {
  /** Symmetric positive semi-definite, row-major n × n. */
  readonly a: Float64Array;
  readonly n: number;
  readonly l1: number;
  readonly l2: number;
  /** The penalties are on the first so many values; an intercept behind them has none. */
  readonly nPenalized: number;
}

/** Changes `v` and `gradient` (A v - b, kept up to date) in place: one pass over all values. */
export function sweep(quadratic: PenalizedQuadratic, v: Float64Array, gradient: Float64Array): void {
  const { a, n, nPenalized } = quadratic;
  for (let j = 0; j < n; j++) {
    const l1 = j < nPenalized ? quadratic.l1 : 0;
    const l2 = j < nPenalized ? quadratic.l2 : 0;
    const curvature = a[j * n + j]! + l2;
    // A value without curvature is that of an empty column: it stays what it is.
    if (!(curvature > 0)) continue;
    const old = v[j]!;
    const target = softThreshold(curvature * old - gradient[j]! - l2 * old, l1) / curvature;
    const change = target - old;
    if (change === 0) continue;
    v[j] = target;
    addRow(a, j * n, change, gradient);
  }
}

function addRow(a: Float64Array, start: number, factor: number, out: Float64Array): void {
  for (let k = 0; k < out.length; k++) out[k]! += factor * a[start + k]!;
}

function softThreshold(value: number, threshold: number): number {
  if (value > threshold) return value - threshold;
  return value < -threshold ? value + threshold : 0;
}

/** Largest component of the smallest subgradient: 0 at the minimum. */
export function violation(
  { l1, l2, nPenalized }: Pick<PenalizedQuadratic, 'l1' | 'l2' | 'nPenalized'>,
  v: Float64Array,
  gradient: Float64Array,
): number {
  let largest = 0;
  for (let j = 0; j < v.length; j++) {
    const isPenalized = j < nPenalized;
    const smooth = gradient[j]! + (isPenalized ? l2 * v[j]! : 0);
    const kink = isPenalized ? l1 : 0;
    const component =
      v[j] === 0 ? Math.max(0, Math.abs(smooth) - kink) : Math.abs(smooth + Math.sign(v[j]!) * kink);
    if (component > largest) largest = component;
  }
  return largest;
}
