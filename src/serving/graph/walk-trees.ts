/**
 * The walks through packed trees. Four walks go on side by side, so that the processor has something to do while it
 * waits for one of them: four rows through one tree, or one row through four trees. Whoever is at a leaf stays there
 * until all four are. The loop is written out for both: shared, it would index by what differs, in the one place where
 * predictions spend their time.
 */
import type { PackedTrees } from './packed-trees.ts';

/** The leaf of one tree for each row of a block. @param ranks - row-major */
export function leavesOfRows(
  { roots, meta, operand, columnBits, setWords, nColumns }: PackedTrees,
  tree: number,
  ranks: Int32Array,
  nRows: number,
  leaves: Int32Array,
): void {
  const root = roots[tree]!;
  const rootMeta = meta[root]!;
  const shift = columnBits + 2;
  const mask = (1 << columnBits) - 1;
  let row = 0;
  let b0 = 0;
  for (; row + 4 <= nRows; row += 4, b0 += 4 * nColumns) {
    const b1 = b0 + nColumns;
    const b2 = b1 + nColumns;
    const b3 = b2 + nColumns;
    let [i0, i1, i2, i3] = [root, root, root, root];
    let [m0, m1, m2, m3] = [rootMeta, rootMeta, rootMeta, rootMeta];
    while (((m0 | m1 | m2 | m3) & 2) !== 0) {
      const x0 = ranks[b0 + ((m0 >>> 2) & mask)]!;
      const x1 = ranks[b1 + ((m1 >>> 2) & mask)]!;
      const x2 = ranks[b2 + ((m2 >>> 2) & mask)]!;
      const x3 = ranks[b3 + ((m3 >>> 2) & mask)]!;
      const t0 = operand[i0]!;
      const t1 = operand[i1]!;
      const t2 = operand[i2]!;
      const t3 = operand[i3]!;
      const g0 = (m0 & 1) === 0 ? (t0 - x0) >>> 31 : setWords[t0 + (x0 >> 5)]! >>> (x0 & 31);
      const g1 = (m1 & 1) === 0 ? (t1 - x1) >>> 31 : setWords[t1 + (x1 >> 5)]! >>> (x1 & 31);
      const g2 = (m2 & 1) === 0 ? (t2 - x2) >>> 31 : setWords[t2 + (x2 >> 5)]! >>> (x2 & 31);
      const g3 = (m3 & 1) === 0 ? (t3 - x3) >>> 31 : setWords[t3 + (x3 >> 5)]! >>> (x3 & 31);
      i0 += (m0 >>> shift) + (g0 & (m0 >>> 1) & 1);
      i1 += (m1 >>> shift) + (g1 & (m1 >>> 1) & 1);
      i2 += (m2 >>> shift) + (g2 & (m2 >>> 1) & 1);
      i3 += (m3 >>> shift) + (g3 & (m3 >>> 1) & 1);
      m0 = meta[i0]!;
      m1 = meta[i1]!;
      m2 = meta[i2]!;
      m3 = meta[i3]!;
    }
    leaves[row] = i0;
    leaves[row + 1] = i1;
    leaves[row + 2] = i2;
    leaves[row + 3] = i3;
  }
}

/** The leaf of each tree for the one row whose ranks begin at `from`. */
export function leavesOfTrees(
  { roots, meta, operand, columnBits, setWords }: PackedTrees,
  ranks: Int32Array,
  from: number,
  leaves: Int32Array,
): void {
  const nTrees = roots.length;
  const shift = columnBits + 2;
  const mask = (1 << columnBits) - 1;
  for (let tree = 0; tree < nTrees; tree += 4) {
    const last = nTrees - 1;
    let i0 = roots[tree]!;
    let i1 = roots[Math.min(tree + 1, last)]!;
    let i2 = roots[Math.min(tree + 2, last)]!;
    let i3 = roots[Math.min(tree + 3, last)]!;
    let m0 = meta[i0]!;
    let m1 = meta[i1]!;
    let m2 = meta[i2]!;
    let m3 = meta[i3]!;
    while (((m0 | m1 | m2 | m3) & 2) !== 0) {
      const x0 = ranks[from + ((m0 >>> 2) & mask)]!;
      const x1 = ranks[from + ((m1 >>> 2) & mask)]!;
      const x2 = ranks[from + ((m2 >>> 2) & mask)]!;
      const x3 = ranks[from + ((m3 >>> 2) & mask)]!;
      const t0 = operand[i0]!;
      const t1 = operand[i1]!;
      const t2 = operand[i2]!;
      const t3 = operand[i3]!;
      const g0 = (m0 & 1) === 0 ? (t0 - x0) >>> 31 : setWords[t0 + (x0 >> 5)]! >>> (x0 & 31);
      const g1 = (m1 & 1) === 0 ? (t1 - x1) >>> 31 : setWords[t1 + (x1 >> 5)]! >>> (x1 & 31);
      const g2 = (m2 & 1) === 0 ? (t2 - x2) >>> 31 : setWords[t2 + (x2 >> 5)]! >>> (x2 & 31);
      const g3 = (m3 & 1) === 0 ? (t3 - x3) >>> 31 : setWords[t3 + (x3 >> 5)]! >>> (x3 & 31);
      i0 += (m0 >>> shift) + (g0 & (m0 >>> 1) & 1);
      i1 += (m1 >>> shift) + (g1 & (m1 >>> 1) & 1);
      i2 += (m2 >>> shift) + (g2 & (m2 >>> 1) & 1);
      i3 += (m3 >>> shift) + (g3 & (m3 >>> 1) & 1);
      m0 = meta[i0]!;
      m1 = meta[i1]!;
      m2 = meta[i2]!;
      m3 = meta[i3]!;
    }
    // Beyond the last tree is room for three more.
    leaves[tree] = i0;
    leaves[tree + 1] = i1;
    leaves[tree + 2] = i2;
    leaves[tree + 3] = i3;
  }
}
