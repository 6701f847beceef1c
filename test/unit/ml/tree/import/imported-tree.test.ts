import { describe, expect, it } from 'vitest';
import { Random } from '../../../../../src/ml/random.ts';
import { floorToFloat32, nextBelow } from '../../../../../src/ml/tree/import/float32.ts';
import { addImportedTree, type ImportedNode } from '../../../../../src/ml/tree/import/imported-tree.ts';
import { leafOf, rowMajor, TreeEnsembleBuilder } from '../../../../../src/ml/tree/tree.ts';

const LARGEST = (2 - 2 ** -23) * 2 ** 127;

describe('float32 neighbours', () => {
  it.each([
    [1, 1 - 2 ** -24],
    [-1, -1 - 2 ** -23],
    [0, -(2 ** -149)],
    [-0, -(2 ** -149)],
    [2 ** -149, 0],
    [-LARGEST, Number.NEGATIVE_INFINITY],
  ])('below %d is %d', (value, below) => {
    expect(nextBelow(value)).toBe(below);
  });

  it('x < t is x <= the neighbour below t, and x <= a double is x <= its floor', () => {
    const random = new Random(3);
    for (let i = 0; i < 20_000; i++) {
      const double = (random.nextFloat() - 0.5) * 10 ** (random.nextInt(80) - 40);
      const float = Math.fround(double);
      const near = [float, nextBelow(float), nextBelow(nextBelow(float)), -nextBelow(-float)];
      for (const x of near) {
        expect(x < float).toBe(x <= nextBelow(float));
        expect(x <= double).toBe(x <= floorToFloat32(double));
      }
    }
  });

  it('of doubles beyond float32 are its ends', () => {
    expect(floorToFloat32(1e300)).toBe(LARGEST);
    expect(floorToFloat32(-1e300)).toBe(Number.NEGATIVE_INFINITY);
  });
});

const BAND = Math.fround(1e-35);
const leaf = (value: number): ImportedNode => ({ value, cover: 4 });
const split = (rest: Partial<ImportedNode>): ImportedNode =>
  ({
    feature: 0,
    test: 0,
    missingLeft: false,
    gain: 1,
    cover: 8,
    left: 1,
    right: 2,
    ...rest,
  }) as ImportedNode;

function built(nodes: readonly ImportedNode[]) {
  const builder = new TreeEnsembleBuilder();
  addImportedTree(builder, nodes.length, 0, (node) => nodes[node]!, 'tree 0');
  return builder.build();
}

describe('a zero band', () => {
  const thresholds = [-2, nextBelow(-BAND), -BAND, -1e-36, 0, 1e-36, nextBelow(BAND), BAND, 1e-34, 2].map(
    Math.fround,
  );
  const values = [...thresholds, ...thresholds.map(nextBelow), Number.NaN, 1e-40, -0, 3, -3].map(Math.fround);

  it.each(thresholds.flatMap((test) => [true, false].map((missingLeft) => [test, missingLeft] as const)))(
    'around the threshold %d sends what is in it where missing values go, left: %s',
    (test, missingLeft) => {
      const trees = built([split({ test, missingLeft, zeroBand: BAND }), leaf(1), leaf(2)]);
      const matrix = rowMajor([Float32Array.from(values)], values.length);
      values.forEach((value, row) => {
        const isMissing = Number.isNaN(value) || Math.abs(value) <= BAND;
        const goesLeft = isMissing ? missingLeft : value <= test;
        expect([value, trees.value[leafOf(trees, 0, matrix, row)]]).toEqual([value, goesLeft ? 1 : 2]);
      });
    },
  );

  it('copies what is below it with its share of the cover', () => {
    const nodes = [
      split({ test: -2, missingLeft: true, zeroBand: BAND, cover: 12, left: 1, right: 2 }),
      split({ feature: 1, left: 3, right: 4 }),
      leaf(1),
      leaf(2),
      leaf(3),
    ];
    const trees = built(nodes);
    const covers = Array.from(trees.cover).filter((_, node) => trees.feature[node]! < 0);
    expect(covers.reduce((sum, cover) => sum + cover, 0)).toBe(12);
    expect(covers.toSorted()).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('in too many splits is refused, not copied until memory ends', () => {
    const depth = 60;
    const nodes = Array.from({ length: depth }, (_, i) =>
      split({ feature: i, test: 2, zeroBand: BAND, left: i + 1, right: depth + 1 + i }),
    );
    const all = [...nodes, ...Array.from({ length: depth + 1 }, () => leaf(1))];
    expect(() => built(all)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }));
  });
});

describe('a list of nodes', () => {
  it.each([
    ['leads back up', [split({ left: 0, right: 1 }), leaf(1)]],
    ['joins two branches', [split({ left: 1, right: 1 }), leaf(1)]],
    ['leads out of the list', [split({ left: 1, right: 7 }), leaf(1)]],
    ['leads below the list', [split({ left: -1, right: 1 }), leaf(1)]],
    ['has a fraction for a child', [split({ left: 0.5, right: 1 }), leaf(1)]],
    ['has a cover below 0', [{ value: 1, cover: -1 }]],
    ['has a leaf beyond float32', [leaf(1e39)]],
  ])('that %s is no tree', (_, nodes) => {
    expect(() => built(nodes)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READABLE' }));
  });

  it('may be a chain of a hundred thousand splits', () => {
    const depth = 100_000;
    const nodes = Array.from({ length: depth }, (_, i) => split({ left: depth + 1 + i, right: i + 1 }));
    const trees = built([...nodes, ...Array.from({ length: depth + 1 }, () => leaf(1))]);
    expect(trees.feature).toHaveLength(2 * depth + 1);
  });
});
