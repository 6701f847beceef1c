/** What TreeSHAP needs of one tree and can know before it sees a row. */
import { ValidationError } from '../../errors.ts';
import type { TreeEnsemble } from '../tree/tree.ts';
import { gaussLegendre, type Quadrature } from './gauss-legendre.ts';

/**
 * Nodes are numbered from the tree's root; everything of a node but the root is about the edge that leads to it.
 *
 * A feature that is not in a coalition follows both sides of a split, each with its share of the cover. Along a path,
 * a feature has the share z (product over its edges) and is followed or not (o, 1 when all of its edges are). A leaf's
 * Shapley value for it is value · (o - z) · ∫ Π (o' t + z' (1 - t)) dt over the other features of the path, t in [0, 1]:
 * Owen's integral (1972), a polynomial, so a few points of Gauss-Legendre give it exactly and with no sign to cancel.
 */
export interface PathFactors {
  readonly root: number;
  readonly nNodes: number;
  readonly nPoints: number;
  readonly parent: Int32Array;
  /** 1 when the edge is the one of rows that go left. */
  readonly isLeft: Uint8Array;
  /** Column tested by the edge; the tests are those of the parent. */
  readonly column: Int32Array;
  /** Node of the nearest edge above that tests the same column; -1 for none. */
  readonly previous: Int32Array;
  /** Share of the parent's cover. */
  readonly share: Float64Array;
  /** Weight of each point. */
  readonly weights: Float64Array;
  /** nNodes × nPoints. How the product changes over an edge whose feature is followed so far, and is so here. */
  readonly factorOn: Float64Array;
  /** ... and is not followed here. Where it was not followed before, the product changes by `share`. */
  readonly factorOff: Float64Array;
  /** nNodes × nPoints: (o - z) / (o t + z (1 - t)) of the edge less that of `previous`, when followed. */
  readonly effectOn: Float64Array;
  /** ... and when the edge is not followed but `previous` is; without either it is 0. */
  readonly effectOff: Float64Array;
  /** Sum of leaf values by share, one per value of a leaf. */
  readonly expected: Float64Array;
}

const quadratures = new Map<number, Quadrature>();

function quadratureOf(nPoints: number): Quadrature {
  const known = quadratures.get(nPoints) ?? gaussLegendre(nPoints);
  quadratures.set(nPoints, known);
  return known;
}

/** 2 GB of factors: a tree of more than a million nodes, or one that was made to take all memory. */
const MAX_SIZE = 2 ** 26;

function tooLarge(tree: number, size: number): ValidationError {
  return new ValidationError(
    `explaining tree ${tree} needs ${size} factors, its nodes times half the columns on its longest path, but at most ${MAX_SIZE} are made; permutation importance works with every model`,
    { code: 'EXPLANATION_NOT_AVAILABLE', evidence: { tree, size } },
  );
}

/**
 * O(nodes · points).
 * @throws ValidationError EXPLANATION_NOT_AVAILABLE for a tree that is too large.
 */
export function pathFactors(trees: TreeEnsemble, tree: number): PathFactors {
  const root = trees.roots[tree]!;
  const nNodes = trees.roots[tree + 1]! - root;
  const edges = edgesOf(trees, root, nNodes);
  const nPoints = Math.max(1, Math.ceil(edges.longest / 2));
  const { nodes, weights } = quadratureOf(nPoints);
  const size = nNodes * nPoints;
  if (size > MAX_SIZE) throw tooLarge(tree, size);
  const factorOn = new Float64Array(size);
  const factorOff = new Float64Array(size);
  const effectOn = new Float64Array(size);
  const effectOff = new Float64Array(size);
  const { previous, share } = edges;
  const pathShare = new Float64Array(nNodes).fill(1);
  for (let node = 1; node < nNodes; node++) {
    const before = previous[node]!;
    const shareBefore = before < 0 ? 1 : pathShare[before]!;
    const shareHere = shareBefore * share[node]!;
    pathShare[node] = shareHere;
    for (let q = 0; q < nPoints; q++) {
      const t = nodes[q]!;
      const factorBefore = before < 0 ? 1 : t + (1 - t) * shareBefore;
      const factorHere = t + (1 - t) * shareHere;
      const effectBefore = before < 0 ? 0 : (1 - shareBefore) / factorBefore;
      const at = node * nPoints + q;
      factorOn[at] = factorHere / factorBefore;
      factorOff[at] = ((1 - t) * shareHere) / factorBefore;
      effectOn[at] = (1 - shareHere) / factorHere - effectBefore;
      effectOff[at] = -1 / (1 - t) - effectBefore;
    }
  }
  return {
    root,
    nNodes,
    nPoints,
    ...edges,
    weights,
    factorOn,
    factorOff,
    effectOn,
    effectOff,
    expected: expectedValues(trees, root, edges.parent, share),
  };
}

function edgesOf(trees: TreeEnsemble, root: number, nNodes: number) {
  const parent = new Int32Array(nNodes).fill(-1);
  const isLeft = new Uint8Array(nNodes);
  const column = new Int32Array(nNodes).fill(-1);
  const share = new Float64Array(nNodes).fill(1);
  for (let node = 0; node < nNodes; node++) {
    const tested = trees.feature[root + node]!;
    if (tested < 0) continue;
    const left = trees.left[root + node]! - root;
    const right = trees.right[root + node]! - root;
    const leftCover = trees.cover[root + left]!;
    const cover = leftCover + trees.cover[root + right]!;
    // A node that no row came to has no share to go by: its sides are alike.
    const leftShare = cover > 0 ? leftCover / cover : 0.5;
    for (const child of [left, right]) {
      parent[child] = node;
      isLeft[child] = child === left ? 1 : 0;
      column[child] = tested;
      share[child] = child === left ? leftShare : 1 - leftShare;
    }
  }
  return { parent, isLeft, column, share, ...repeatsOf(trees, root, parent, column) };
}

/** The nearest edge above each that tests the same column, and the most different columns on a path. O(nodes). */
function repeatsOf(trees: TreeEnsemble, root: number, parent: Int32Array, column: Int32Array) {
  const previous = new Int32Array(column.length).fill(-1);
  const nColumns = new Int32Array(column.length);
  const last = new Int32Array(column.reduce((most, one) => Math.max(most, one), -1) + 1).fill(-1);
  let longest = 0;
  // Depth first; the complement of a node's number is where it is left again.
  const waiting = [0];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node < 0) {
      last[column[~node]!] = previous[~node]!;
      continue;
    }
    if (node > 0) {
      const before = last[column[node]!]!;
      previous[node] = before;
      last[column[node]!] = node;
      nColumns[node] = nColumns[parent[node]!]! + (before < 0 ? 1 : 0);
      longest = Math.max(longest, nColumns[node]!);
      waiting.push(~node);
    }
    if (trees.feature[root + node]! < 0) continue;
    waiting.push(trees.left[root + node]! - root, trees.right[root + node]! - root);
  }
  return { previous, longest };
}

function expectedValues(
  trees: TreeEnsemble,
  root: number,
  parent: Int32Array,
  share: Float64Array,
): Float64Array {
  const expected = new Float64Array(trees.width);
  const reach = new Float64Array(parent.length).fill(1);
  for (let node = 0; node < parent.length; node++) {
    if (node > 0) reach[node] = reach[parent[node]!]! * share[node]!;
    if (trees.feature[root + node]! >= 0) continue;
    for (let k = 0; k < trees.width; k++)
      expected[k]! += reach[node]! * trees.value[(root + node) * trees.width + k]!;
  }
  return expected;
}
