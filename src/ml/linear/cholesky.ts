/**
 * Solves A x = b for a symmetric positive semi-definite A (row-major n × n, overwritten by its factor).
 * A direction in which A is singular within rounding gets no weight, as in a minimum-norm solution. O(n³/3).
 */
export function solveCholesky(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  factorize(a, n);
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= a[i * n + k]! * x[k]!;
    x[i] = a[i * n + i] === 0 ? 0 : sum / a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * x[k]!;
    x[i] = a[i * n + i] === 0 ? 0 : sum / a[i * n + i]!;
  }
  return x;
}

function factorize(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const diagonal = a[j * n + j]!;
    const pivot = diagonal - sumOfProducts(a, j * n, j * n, j);
    if (!(pivot > diagonal * 1e-12)) {
      for (let i = j; i < n; i++) a[i * n + j] = 0;
      continue;
    }
    const root = Math.sqrt(pivot);
    a[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      a[i * n + j] = (a[i * n + j]! - sumOfProducts(a, i * n, j * n, j)) / root;
    }
  }
}

function sumOfProducts(a: Float64Array, first: number, second: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[first + k]! * a[second + k]!;
  return sum;
}
