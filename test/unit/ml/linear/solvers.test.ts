import { describe, expect, it } from 'vitest';
import { solveCholesky } from '../../../../src/ml/linear/cholesky.ts';
import { addProduct, type DesignMatrix, transposeProduct } from '../../../../src/ml/linear/design-matrix.ts';
import { gram } from '../../../../src/ml/linear/gram.ts';
import { largestComponent, startLbfgs, stepLbfgs } from '../../../../src/ml/linear/lbfgs.ts';
import { fitRidge } from '../../../../src/ml/linear/ridge.ts';

const design: DesignMatrix = {
  nRows: 4,
  nColumns: 6,
  dense: [Float64Array.of(1, 2, 3, 4)],
  blocks: [
    { codes: Int32Array.of(0, 1, -1, 1), width: 2 },
    { codes: Int32Array.of(2, 0, 1, 0), width: 3 },
  ],
};
const plain = [
  [1, 1, 0, 0, 0, 1],
  [2, 0, 1, 1, 0, 0],
  [3, 0, 0, 0, 1, 0],
  [4, 0, 1, 1, 0, 0],
];

describe('a design matrix', () => {
  it('multiplies as the matrix that it stands for', () => {
    const weights = Float64Array.of(99, 1, 2, 3, 5, 7, 11);
    const out = Float64Array.of(100, 0, 0, 0);
    addProduct(design, weights, 1, out);
    const expected = plain.map((row, i) =>
      row.reduce((sum, x, j) => sum + x * weights[j + 1]!, i === 0 ? 100 : 0),
    );
    expect(Array.from(out)).toEqual(expected);
  });

  it('multiplies transposed', () => {
    const out = new Float64Array(8);
    transposeProduct(design, Float64Array.of(1, 10, 100, 1000), out, 2);
    const expected = [0, 1, 2, 3, 4, 5].map((j) => plain.reduce((sum, row, i) => sum + row[j]! * 10 ** i, 0));
    expect(Array.from(out)).toEqual([0, 0, ...expected]);
  });

  it('has the gram matrix of its columns', () => {
    const expected = [0, 1, 2, 3, 4, 5].flatMap((j) =>
      [0, 1, 2, 3, 4, 5].map((k) => plain.reduce((sum, row) => sum + row[j]! * row[k]!, 0)),
    );
    expect(Array.from(gram(design))).toEqual(expected);
  });

  it('has the gram matrix of its weighted rows', () => {
    const weights = [2, 3, 5, 7];
    const expected = [0, 1, 2, 3, 4, 5].flatMap((j) =>
      [0, 1, 2, 3, 4, 5].map((k) => plain.reduce((sum, row, i) => sum + weights[i]! * row[j]! * row[k]!, 0)),
    );
    expect(Array.from(gram(design, Float64Array.from(weights)))).toEqual(expected);
  });
});

describe('Cholesky', () => {
  it('solves a positive definite system', () => {
    const x = solveCholesky(Float64Array.of(4, 2, 2, 3), Float64Array.of(8, 8));
    expect(x[0]).toBeCloseTo(1, 12);
    expect(x[1]).toBeCloseTo(2, 12);
  });

  it('gives a direction without information no weight', () => {
    const x = solveCholesky(Float64Array.of(2, 2, 2, 2), Float64Array.of(4, 4));
    expect(x[0]).toBeCloseTo(2, 12);
    expect(x[1]).toBe(0);
  });
});

describe('ridge without penalty', () => {
  it('recovers an exact linear relation, in spite of a column given twice', () => {
    const x = Float64Array.of(1, 2, 3, 7);
    const twice: DesignMatrix = { nRows: 4, nColumns: 2, dense: [x, x], blocks: [] };
    const { weights, intercept } = fitRidge(
      twice,
      x.map((value) => 3 * value - 5),
      0,
    );
    expect(weights[0]! + weights[1]!).toBeCloseTo(3, 9);
    expect(intercept).toBeCloseTo(-5, 9);
  });
});

describe('L-BFGS', () => {
  it('finds the minimum of a badly scaled quadratic', () => {
    const scales = [1, 100, 10_000];
    const objective = (x: Float64Array, gradient: Float64Array) => {
      let value = 0;
      scales.forEach((scale, i) => {
        const difference = x[i]! - (i + 1);
        gradient[i] = scale * difference;
        value += (scale * difference * difference) / 2;
      });
      return value;
    };
    // A first step that is far too long is halved until the value falls.
    const unknown = new Float64Array(3).fill(1);
    let state = startLbfgs(objective, new Float64Array(3));
    while (largestComponent(state.gradient) > 1e-8 && state.iteration < 100) {
      state = stepLbfgs(objective, state, unknown);
    }
    expect(state.iteration).toBeLessThan(60);
    const known = Float64Array.from(scales, (scale) => 1 / scale);
    expect(stepLbfgs(objective, startLbfgs(objective, new Float64Array(3)), known).value).toBeCloseTo(0, 20);
    Array.from(state.x).forEach((value, i) => {
      expect(value).toBeCloseTo(i + 1, 7);
    });
  });
});
