/** Binary trees over float32 columns, as flat arrays: small, fast to walk, and plain data. */

/**
 * All trees of a model, nodes one after the other, the first of each tree its root.
 * A row goes left when x <= threshold in float32, or when x is NaN and missingLeft is 1.
 */
export interface TreeEnsemble {
  /** First node of each tree, and one past the last node. */
  readonly roots: Int32Array;
  /** Column tested; -1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly missingLeft: Uint8Array;
  /** Node numbers in the ensemble; 0 for a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What a leaf adds to the score, a float32; 0 elsewhere. */
  readonly value: Float32Array;
}

/** Node lists that grow while trees are added. */
export class TreeEnsembleBuilder {
  readonly #roots: number[] = [];
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #missingLeft: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #value: number[] = [];

  get nTrees(): number {
    return this.#roots.length;
  }

  beginTree(): void {
    this.#roots.push(this.#feature.length);
  }

  /** A leaf, until `split` is called on it; returns its node number. */
  addLeaf(value: number): number {
    this.#feature.push(-1);
    this.#threshold.push(0);
    this.#missingLeft.push(0);
    this.#left.push(0);
    this.#right.push(0);
    this.#value.push(Math.fround(value));
    return this.#feature.length - 1;
  }

  split(
    node: number,
    feature: number,
    threshold: number,
    missingLeft: boolean,
    left: number,
    right: number,
  ): void {
    this.#feature[node] = feature;
    this.#threshold[node] = threshold;
    this.#missingLeft[node] = missingLeft ? 1 : 0;
    this.#left[node] = left;
    this.#right[node] = right;
    this.#value[node] = 0;
  }

  valueOf(leaf: number): number {
    return this.#value[leaf]!;
  }

  build(): TreeEnsemble {
    return {
      roots: Int32Array.from([...this.#roots, this.#feature.length]),
      feature: Int32Array.from(this.#feature),
      threshold: Float32Array.from(this.#threshold),
      missingLeft: Uint8Array.from(this.#missingLeft),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      value: Float32Array.from(this.#value),
    };
  }

  /** A builder that goes on after the given trees. */
  static continuing(ensemble: TreeEnsemble): TreeEnsembleBuilder {
    const builder = new TreeEnsembleBuilder();
    builder.#roots.push(...ensemble.roots.subarray(0, -1));
    for (let node = 0; node < ensemble.feature.length; node++) {
      builder.#feature.push(ensemble.feature[node]!);
      builder.#threshold.push(ensemble.threshold[node]!);
      builder.#missingLeft.push(ensemble.missingLeft[node]!);
      builder.#left.push(ensemble.left[node]!);
      builder.#right.push(ensemble.right[node]!);
      builder.#value.push(ensemble.value[node]!);
    }
    return builder;
  }
}

export function nTreesOf(ensemble: TreeEnsemble): number {
  return ensemble.roots.length - 1;
}

/** Columns side by side per row, so that a row's walk stays in a few cache lines. */
export function rowMajor(columns: readonly Float32Array[], nRows: number): Float32Array {
  const nColumns = columns.length;
  const matrix = new Float32Array(nRows * nColumns);
  columns.forEach((values, column) => {
    for (let row = 0; row < nRows; row++) matrix[row * nColumns + column] = values[row]!;
  });
  return matrix;
}

/** Adds one tree's leaf values to the scores of every row. */
export function addTreeScores(
  ensemble: TreeEnsemble,
  tree: number,
  matrix: Float32Array,
  nColumns: number,
  scores: Float64Array,
): void {
  const { feature, threshold, missingLeft, left, right, value } = ensemble;
  const root = ensemble.roots[tree]!;
  for (let row = 0, base = 0; row < scores.length; row++, base += nColumns) {
    let node = root;
    for (let column = feature[node]!; column >= 0; column = feature[node]!) {
      const x = matrix[base + column]!;
      const goesLeft = x <= threshold[node]! || (missingLeft[node] === 1 && Number.isNaN(x));
      node = goesLeft ? left[node]! : right[node]!;
    }
    scores[row]! += value[node]!;
  }
}

/** Plain arrays; float32 values keep every bit. */
export function ensembleToJSON(ensemble: TreeEnsemble): Record<keyof TreeEnsemble, number[]> {
  return {
    roots: Array.from(ensemble.roots),
    feature: Array.from(ensemble.feature),
    threshold: Array.from(ensemble.threshold),
    missingLeft: Array.from(ensemble.missingLeft),
    left: Array.from(ensemble.left),
    right: Array.from(ensemble.right),
    value: Array.from(ensemble.value),
  };
}

export function ensembleFromJSON(json: unknown): TreeEnsemble {
  const data = json as Record<keyof TreeEnsemble, number[]>;
  return {
    roots: Int32Array.from(data.roots),
    feature: Int32Array.from(data.feature),
    threshold: Float32Array.from(data.threshold),
    missingLeft: Uint8Array.from(data.missingLeft),
    left: Int32Array.from(data.left),
    right: Int32Array.from(data.right),
    value: Float32Array.from(data.value),
  };
}
