/** Exact Shapley values of tree ensembles. */
import { goesLeft, nTreesOf, rowMajor, type TreeEnsemble } from '../tree/tree.ts';
import { type PathFactors, pathFactors } from './path-factors.ts';

/** Trees and how their leaves become scores: score = initial score + sum of leaf values. */
export interface ScoredTrees {
  /** Tree t adds to score t % nScores when leaves have one value, else value k of a leaf adds to score k. */
  readonly trees: TreeEnsemble;
  readonly nScores: number;
  readonly initialScores: ArrayLike<number>;
}

/** score k of a row = base[k] + the sum of its values over the features. */
export interface ShapValues {
  readonly nRows: number;
  readonly nScores: number;
  readonly nFeatures: number;
  /** Expected score, by the cover of the trees' nodes. */
  readonly base: Float64Array;
  /** nRows × nScores × nFeatures. */
  readonly values: Float64Array;
}

/**
 * Path-dependent Shapley values (Lundberg et al. 2020, algorithm 2), summed up from the leaves as in Linear TreeSHAP
 * (Yu et al. 2022), in the numerically plain form of `PathFactors`. Cost per row O(nodes · columns on the longest
 * path / 2), where algorithm 2 needs O(leaves · depth²).
 * @param sources - feature of each column, whose values are added up.
 */
export function treeShap(
  model: ScoredTrees,
  columns: readonly Float32Array[],
  nRows: number,
  sources: ArrayLike<number>,
  nFeatures: number,
): ShapValues {
  const { trees, nScores } = model;
  const base = Float64Array.from(model.initialScores);
  const values = new Float64Array(nRows * nScores * nFeatures);
  const matrix = rowMajor(columns, nRows);
  const factorsOf = keptFactors(trees);
  const walk = new TreeWalk(trees);
  for (let tree = 0; tree < nTreesOf(trees); tree++) {
    const factors = factorsOf(tree);
    const firstScore = trees.width === 1 ? tree % nScores : 0;
    for (let k = 0; k < trees.width; k++) base[firstScore + k]! += factors.expected[k]!;
    if (factors.nNodes === 1) continue;
    walk.enter(factors);
    for (let row = 0; row < nRows; row++) {
      walk.follow(matrix, row * columns.length);
      const first = (row * nScores + firstScore) * nFeatures;
      walk.addEffects(sources, values, first, nFeatures);
    }
  }
  return { nRows, nScores, nFeatures, base, values };
}

/** Factors take some 200 bytes a node: those of a forest are made anew for every call. */
const MAX_KEPT_NODES = 20_000;
const kept = new WeakMap<TreeEnsemble, PathFactors[]>();

/** Making the factors costs as much as explaining ten rows, and ensembles never change. */
function keptFactors(trees: TreeEnsemble): (tree: number) => PathFactors {
  if (trees.feature.length > MAX_KEPT_NODES) return (tree) => pathFactors(trees, tree);
  let factors = kept.get(trees);
  if (factors === undefined) {
    factors = Array.from({ length: nTreesOf(trees) }, (_, tree) => pathFactors(trees, tree));
    kept.set(trees, factors);
  }
  return (tree) => factors[tree]!;
}

/** The buffers of tree after tree and row after row. */
class TreeWalk {
  readonly #trees: TreeEnsemble;
  #factors!: PathFactors;
  /** 1 where the tests of the edge's column so far, this one included, are all followed by the row. */
  #isOn = new Uint8Array(0);
  /** nNodes × nPoints: weight · product of the factors on the way to the node. */
  #product = new Float64Array(0);
  /** width × nNodes × nPoints: sum of product · value over the leaves below. */
  #sum = new Float64Array(0);

  constructor(trees: TreeEnsemble) {
    this.#trees = trees;
  }

  enter(factors: PathFactors): void {
    this.#factors = factors;
    const size = factors.nNodes * factors.nPoints;
    if (this.#isOn.length < factors.nNodes) this.#isOn = new Uint8Array(factors.nNodes);
    if (this.#product.length < size) {
      this.#product = new Float64Array(size);
      this.#sum = new Float64Array(size * this.#trees.width);
    }
    this.#product.set(factors.weights);
  }

  /** From the root to the leaves. */
  follow(matrix: Float32Array, rowStart: number): void {
    const { root, nNodes, nPoints, parent, isLeft, column, previous, share, factorOn, factorOff } =
      this.#factors;
    const isOn = this.#isOn;
    const product = this.#product;
    const trees = this.#trees;
    for (let node = 1; node < nNodes; node++) {
      const above = parent[node]!;
      const from = above * nPoints;
      const to = node * nPoints;
      const before = previous[node]!;
      if (before >= 0 && isOn[before] === 0) {
        isOn[node] = 0;
        const factor = share[node]!;
        for (let q = 0; q < nPoints; q++) product[to + q] = product[from + q]! * factor;
        continue;
      }
      const left = goesLeft(trees, root + above, matrix[rowStart + column[node]!]!) ? 1 : 0;
      const followed = left === isLeft[node];
      isOn[node] = followed ? 1 : 0;
      const factor = followed ? factorOn : factorOff;
      for (let q = 0; q < nPoints; q++) product[to + q] = product[from + q]! * factor[to + q]!;
    }
  }

  /** From the leaves to the root. */
  addEffects(sources: ArrayLike<number>, values: Float64Array, first: number, nFeatures: number): void {
    const { root, nNodes, nPoints, parent, column, previous, effectOn, effectOff } = this.#factors;
    const { feature, value, width } = this.#trees;
    const isOn = this.#isOn;
    const product = this.#product;
    const sum = this.#sum.fill(0, 0, nNodes * nPoints * width);
    for (let node = nNodes - 1; node > 0; node--) {
      const points = node * nPoints;
      const isLeaf = feature[root + node]! < 0;
      const before = previous[node]!;
      // Not followed before: the edge above has taken the whole effect.
      const effect = isOn[node] === 1 ? effectOn : before < 0 || isOn[before] === 1 ? effectOff : undefined;
      for (let k = 0; k < width; k++) {
        const here = k * nNodes * nPoints + points;
        const above = k * nNodes * nPoints + parent[node]! * nPoints;
        const leafValue = isLeaf ? value[(root + node) * width + k]! : 0;
        let total = 0;
        for (let q = 0; q < nPoints; q++) {
          const below = isLeaf ? leafValue * product[points + q]! : sum[here + q]!;
          sum[above + q]! += below;
          if (effect !== undefined) total += effect[points + q]! * below;
        }
        values[first + k * nFeatures + sources[column[node]!]!]! += total;
      }
    }
  }
}
