/** Nodes and weights that integrate over [0, 1]. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Gauss-Legendre quadrature with n >= 1 points: exact for polynomials of degree 2n - 1.
 * Newton's method on the Legendre polynomial of degree n (Press et al. 2007, section 4.6.1). O(n²).
 */
export function gaussLegendre(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // Nodes mirror each other around the middle.
    const mirrored = n - 1 - i;
    if (mirrored < i) break;
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 0;
    // Five steps reach the last bit from this start; the rest changes nothing.
    for (let step = 0; step < 8; step++) {
      let current = 1;
      let before = 0;
      for (let degree = 1; degree <= n; degree++) {
        const next = ((2 * degree - 1) * x * current - (degree - 1) * before) / degree;
        before = current;
        current = next;
      }
      slope = (n * (x * current - before)) / (x * x - 1);
      x -= current / slope;
    }
    nodes[i] = (1 - x) / 2;
    nodes[mirrored] = (1 + x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
    weights[mirrored] = weights[i]!;
  }
  return { nodes, weights };
}
