import { Random } from '../../../../src/ml/random.ts';
import { type TreeEnsemble, TreeEnsembleBuilder } from '../../../../src/ml/tree/tree.ts';

export interface RandomTreesOptions {
  readonly nTrees: number;
  readonly nColumns: number;
  readonly nLeaves: number;
  readonly width?: number;
  readonly seed?: number;
}

/** Trees of any shape: columns are tested again on the way down, by thresholds and by sets of the codes 0 to 39. */
export function randomTrees({
  nTrees,
  nColumns,
  nLeaves,
  width = 1,
  seed = 5,
}: RandomTreesOptions): TreeEnsemble {
  const random = new Random(seed);
  const builder = new TreeEnsembleBuilder(width);
  const leafValue = () => Array.from({ length: width }, () => random.nextFloat() * 2 - 1);
  for (let tree = 0; tree < nTrees; tree++) {
    builder.beginTree();
    const leaves = [{ node: builder.addLeaf(leafValue(), 1000), cover: 1000 }];
    while (leaves.length < nLeaves) {
      const leaf = leaves.splice(random.nextInt(leaves.length), 1)[0]!;
      const leftCover = leaf.cover * (0.05 + 0.9 * random.nextFloat());
      const left = builder.addLeaf(leafValue(), leftCover);
      const right = builder.addLeaf(leafValue(), leaf.cover - leftCover);
      const isSet = random.nextFloat() < 0.3;
      builder.split(leaf.node, {
        feature: random.nextInt(nColumns),
        test: isSet ? Uint32Array.of(random.nextUint32(), random.nextInt(256)) : random.nextFloat() * 40,
        missingLeft: random.nextFloat() < 0.5,
        left,
        right,
        gain: random.nextFloat(),
      });
      leaves.push({ node: left, cover: leftCover }, { node: right, cover: leaf.cover - leftCover });
    }
  }
  return builder.build();
}

/** Whole numbers from 0 to 39, every tenth missing. */
export function randomColumns(nColumns: number, nRows: number, seed = 9): Float32Array[] {
  const random = new Random(seed);
  return Array.from({ length: nColumns }, () =>
    Float32Array.from({ length: nRows }, () => (random.nextFloat() < 0.1 ? Number.NaN : random.nextInt(40))),
  );
}
