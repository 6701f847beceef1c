import { describe, expect, it } from 'vitest';
import { gaussLegendre } from '../../../../src/ml/explain/gauss-legendre.ts';
import { treeShap } from '../../../../src/ml/explain/tree-shap.ts';
import {
  goesLeft,
  leafOf,
  nTreesOf,
  rowMajor,
  type TreeEnsemble,
  TreeEnsembleBuilder,
} from '../../../../src/ml/tree/tree.ts';
import { randomColumns, randomTrees } from './random-trees.ts';

/** Expected leaf value when only the features of the coalition are known (Lundberg et al. 2020, algorithm 1). */
function expectedValue(
  trees: TreeEnsemble,
  node: number,
  row: readonly number[],
  known: number,
  k: number,
): number {
  const column = trees.feature[node]!;
  if (column < 0) return trees.value[node * trees.width + k]!;
  const left = trees.left[node]!;
  const right = trees.right[node]!;
  const below = (child: number) => expectedValue(trees, child, row, known, k);
  if ((known >> column) & 1) return below(goesLeft(trees, node, row[column]!) ? left : right);
  const covers = trees.cover[left]! + trees.cover[right]!;
  return (below(left) * trees.cover[left]! + below(right) * trees.cover[right]!) / covers;
}

/** Shapley's definition over all subsets. */
function bruteForce(trees: TreeEnsemble, row: readonly number[], k: number): number[] {
  const n = row.length;
  const worth = Array.from({ length: 2 ** n }, (_, known) => {
    let sum = 0;
    for (let tree = 0; tree < nTreesOf(trees); tree++)
      sum += expectedValue(trees, trees.roots[tree]!, row, known, k);
    return sum;
  });
  const factorial = (m: number): number => (m <= 1 ? 1 : m * factorial(m - 1));
  return row.map((_, i) => {
    let value = 0;
    for (let known = 0; known < 2 ** n; known++) {
      if ((known >> i) & 1) continue;
      const size = known.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(n - size - 1)) / factorial(n);
      value += weight * (worth[known | (1 << i)]! - worth[known]!);
    }
    return value;
  });
}

function rowOf(columns: readonly Float32Array[], row: number): number[] {
  return columns.map((column) => column[row]!);
}

const identity = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('TreeSHAP', () => {
  it.each([
    { nTrees: 1, nColumns: 1, nLeaves: 6 },
    { nTrees: 1, nColumns: 3, nLeaves: 9 },
    { nTrees: 4, nColumns: 6, nLeaves: 12 },
    { nTrees: 3, nColumns: 9, nLeaves: 40 },
    { nTrees: 3, nColumns: 5, nLeaves: 15, width: 3 },
  ])(
    'is what all subsets of features give: $nTrees trees of $nLeaves leaves on $nColumns columns',
    (shape) => {
      const trees = randomTrees(shape);
      const columns = randomColumns(shape.nColumns, 12);
      const nScores = shape.width ?? 1;
      const model = { trees, nScores, initialScores: new Float64Array(nScores) };
      const shap = treeShap(model, columns, 12, identity(shape.nColumns), shape.nColumns);
      for (let row = 0; row < 12; row++) {
        for (let k = 0; k < nScores; k++) {
          const first = (row * nScores + k) * shape.nColumns;
          const values = shap.values.subarray(first, first + shape.nColumns);
          // Sums of some hundred doubles of at most 40.
          for (const [i, value] of bruteForce(trees, rowOf(columns, row), k).entries()) {
            expect(values[i]).toBeCloseTo(value, 11);
          }
        }
      }
    },
  );

  it('adds up to the score less the base with trees of a thousand leaves', () => {
    const trees = randomTrees({ nTrees: 5, nColumns: 30, nLeaves: 1000 });
    const columns = randomColumns(30, 20);
    const shap = treeShap({ trees, nScores: 1, initialScores: [0.25] }, columns, 20, identity(30), 30);
    const matrix = rowMajor(columns, 20);
    for (let row = 0; row < 20; row++) {
      let score = 0.25;
      for (let tree = 0; tree < 5; tree++) score += trees.value[leafOf(trees, tree, matrix, row * 30)]!;
      const values = shap.values.subarray(row * 30, row * 30 + 30);
      expect(shap.base[0]! + values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(score, 11);
    }
  });

  it('gives the trees of each score to that score', () => {
    const trees = randomTrees({ nTrees: 6, nColumns: 4, nLeaves: 8 });
    const columns = randomColumns(4, 5);
    const model = { trees, nScores: 3, initialScores: [1, 2, 3] };
    const shap = treeShap(model, columns, 5, identity(4), 4);
    const matrix = rowMajor(columns, 5);
    for (let row = 0; row < 5; row++) {
      for (let k = 0; k < 3; k++) {
        const score =
          k +
          1 +
          [k, k + 3].reduce((sum, tree) => sum + trees.value[leafOf(trees, tree, matrix, row * 4)]!, 0);
        const first = (row * 3 + k) * 4;
        const values = shap.values.subarray(first, first + 4);
        expect(shap.base[k]! + values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(score, 11);
      }
    }
  });

  it('adds up the columns of one feature', () => {
    const trees = randomTrees({ nTrees: 3, nColumns: 4, nLeaves: 10 });
    const columns = randomColumns(4, 6);
    const model = { trees, nScores: 1, initialScores: [0] };
    const apart = treeShap(model, columns, 6, identity(4), 4);
    const together = treeShap(model, columns, 6, [0, 1, 1, 0], 2);
    for (let row = 0; row < 6; row++) {
      const at = (column: number) => apart.values[row * 4 + column]!;
      expect(together.values[row * 2]).toBeCloseTo(at(0) + at(3), 12);
      expect(together.values[row * 2 + 1]).toBeCloseTo(at(1) + at(2), 12);
    }
  });

  it('is finite where a node has no cover', () => {
    const trees = { ...randomTrees({ nTrees: 2, nColumns: 3, nLeaves: 8 }), cover: new Float32Array(30) };
    const shap = treeShap({ trees, nScores: 1, initialScores: [0] }, randomColumns(3, 8), 8, identity(3), 3);
    expect([...shap.base, ...shap.values].every(Number.isFinite)).toBe(true);
  });

  /** A chain of splits, each on the column that `columnOf` says. */
  function chain(depth: number, columnOf: (i: number) => number) {
    const builder = new TreeEnsembleBuilder();
    builder.beginTree();
    let node = builder.addLeaf(0, depth + 1);
    for (let i = 0; i < depth; i++) {
      const [left, right] = [builder.addLeaf(i, 1), builder.addLeaf(depth, depth - i)];
      builder.split(node, { feature: columnOf(i), test: i, missingLeft: true, left, right, gain: 1 });
      node = right;
    }
    return { trees: builder.build(), nScores: 1, initialScores: [0] };
  }

  it('takes a chain of a hundred thousand splits', () => {
    const columns = [Float32Array.of(70_000), Float32Array.of(3)];
    const shap = treeShap(
      chain(100_000, (i) => i % 2),
      columns,
      1,
      [0, 1],
      2,
    );
    // The first odd threshold that is not below 3.
    expect(shap.base[0]! + shap.values[0]! + shap.values[1]!).toBeCloseTo(3, 8);
  });

  it('refuses a tree whose factors would take all memory', () => {
    const nColumns = 20_000;
    const columns = Array.from({ length: nColumns }, () => Float32Array.of(0));
    expect(() =>
      treeShap(
        chain(nColumns, (i) => i),
        columns,
        1,
        identity(nColumns),
        nColumns,
      ),
    ).toThrow(expect.objectContaining({ code: 'EXPLANATION_NOT_AVAILABLE' }));
  });

  it('explains nothing by trees without a split', () => {
    const trees = randomTrees({ nTrees: 2, nColumns: 3, nLeaves: 1 });
    const model = { trees, nScores: 1, initialScores: [0.5] };
    const shap = treeShap(model, randomColumns(3, 2), 2, identity(3), 3);
    expect(shap.base[0]).toBe(0.5 + trees.value[0]! + trees.value[1]!);
    expect([...shap.values]).toEqual(new Array(6).fill(0));
  });
});

describe('Gauss-Legendre quadrature', () => {
  it.each([1, 2, 3, 8, 15, 16, 40])('integrates powers up to twice its %i points', (n) => {
    const { nodes, weights } = gaussLegendre(n);
    for (let power = 0; power < 2 * n; power++) {
      const integral = nodes.reduce((sum, node, i) => sum + weights[i]! * node ** power, 0);
      expect(integral).toBeCloseTo(1 / (power + 1), 13);
    }
  });
});
