/** Binary trees over float32 columns, as flat arrays: small, fast to walk, and plain data. */
import { fromBase64, toBase64 } from '../base64.ts';

/**
 * All trees of a model, nodes one after the other, the first of each tree its root; children come after their parent.
 *
 * A row's value x of column `feature` is a float32. Without a set (`set` is -1) the row goes left when
 * x <= threshold. With a set, x is a category code (0, 1, ...) and the row goes left when the code is in it; a code
 * beyond the set's bits is not. In both cases a row whose x is NaN goes left when `missingLeft` is 1.
 */
export interface TreeEnsemble {
  /** Values of a leaf: 1 in boosting, where a tree adds to one score, or one per score in a forest. */
  readonly width: number;
  /** First node of each tree, and one past the last node. */
  readonly roots: Int32Array;
  /** Column tested; -1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly missingLeft: Uint8Array;
  /** Node numbers in the ensemble; 0 for a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Number of the category set that the node tests, -1 for none. */
  readonly set: Int32Array;
  /** First word of each set in `setWords`, and one past the last word. */
  readonly setStarts: Int32Array;
  /** Bit c % 32 of word c / 32 of a set says whether category code c goes left. */
  readonly setWords: Uint32Array;
  /** nNodes × width: what a leaf adds to the score, float32; 0 elsewhere. */
  readonly value: Float32Array;
  /** Training rows that came through the node. */
  readonly cover: Float32Array;
  /** How much the node's split lowered the loss in training; 0 for a leaf. */
  readonly gain: Float32Array;
}

/** The largest float32. */
const LARGEST = 3.4028234663852886e38;

/** A gain as it is kept: finite, though that of targets beyond 1e18 is a sum of larger squares. */
export function storableGain(gain: number): number {
  return Math.fround(Math.min(LARGEST, gain));
}

/** Node lists that grow while trees are added. */
export class TreeEnsembleBuilder {
  readonly #width: number;
  readonly #roots: number[] = [];
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #missingLeft: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #set: number[] = [];
  readonly #setStarts: number[] = [0];
  readonly #setWords: number[] = [];
  readonly #value: number[] = [];
  readonly #cover: number[] = [];
  readonly #gain: number[] = [];

  constructor(width = 1) {
    this.#width = width;
  }

  get nTrees(): number {
    return this.#roots.length;
  }

  get nNodes(): number {
    return this.#feature.length;
  }

  beginTree(): void {
    this.#roots.push(this.#feature.length);
  }

  /** A leaf, until a split is set on it; returns its node number. @param value - `width` numbers, or the one */
  addLeaf(value: number | ArrayLike<number>, cover: number): number {
    this.#feature.push(-1);
    this.#threshold.push(0);
    this.#missingLeft.push(0);
    this.#left.push(0);
    this.#right.push(0);
    this.#set.push(-1);
    if (typeof value === 'number') this.#value.push(Math.fround(value));
    else for (let k = 0; k < this.#width; k++) this.#value.push(Math.fround(value[k]!));
    this.#cover.push(Math.fround(cover));
    this.#gain.push(0);
    return this.#feature.length - 1;
  }

  /** Makes the leaf a test of `x <= threshold`, or of a category set when there is one. */
  split(node: number, split: NodeSplit): void {
    this.#feature[node] = split.feature;
    this.#missingLeft[node] = split.missingLeft ? 1 : 0;
    this.#left[node] = split.left;
    this.#right[node] = split.right;
    this.#gain[node] = storableGain(split.gain);
    this.#value.fill(0, node * this.#width, (node + 1) * this.#width);
    if (typeof split.test === 'number') {
      this.#threshold[node] = split.test;
    } else {
      this.#set[node] = this.#setStarts.length - 1;
      for (const word of split.test) this.#setWords.push(word >>> 0);
      this.#setStarts.push(this.#setWords.length);
    }
  }

  /** The one value of a leaf. */
  valueOf(leaf: number): number {
    return this.#value[leaf * this.#width]!;
  }

  setValue(leaf: number, value: number): void {
    this.#value[leaf * this.#width] = Math.fround(value);
  }

  /** Forgets every tree from this one on. */
  truncate(nTrees: number): void {
    if (nTrees >= this.#roots.length) return;
    const nNodes = this.#roots[nTrees]!;
    this.#roots.length = nTrees;
    const nSets = this.#set.slice(0, nNodes).reduce((largest, set) => Math.max(largest, set), -1) + 1;
    for (const list of [this.#feature, this.#threshold, this.#missingLeft, this.#left, this.#right])
      list.length = nNodes;
    for (const list of [this.#set, this.#cover, this.#gain]) list.length = nNodes;
    this.#value.length = nNodes * this.#width;
    this.#setStarts.length = nSets + 1;
    this.#setWords.length = this.#setStarts[nSets]!;
  }

  build(): TreeEnsemble {
    return {
      width: this.#width,
      roots: Int32Array.from([...this.#roots, this.#feature.length]),
      feature: Int32Array.from(this.#feature),
      threshold: Float32Array.from(this.#threshold),
      missingLeft: Uint8Array.from(this.#missingLeft),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      set: Int32Array.from(this.#set),
      setStarts: Int32Array.from(this.#setStarts),
      setWords: Uint32Array.from(this.#setWords),
      value: Float32Array.from(this.#value),
      cover: Float32Array.from(this.#cover),
      gain: Float32Array.from(this.#gain),
    };
  }

  /** A builder that goes on after the given trees. */
  static continuing(ensemble: TreeEnsemble): TreeEnsembleBuilder {
    const builder = new TreeEnsembleBuilder(ensemble.width);
    append(builder.#roots, ensemble.roots.subarray(0, -1));
    append(builder.#feature, ensemble.feature);
    append(builder.#threshold, ensemble.threshold);
    append(builder.#missingLeft, ensemble.missingLeft);
    append(builder.#left, ensemble.left);
    append(builder.#right, ensemble.right);
    append(builder.#set, ensemble.set);
    append(builder.#setStarts, ensemble.setStarts.subarray(1));
    append(builder.#setWords, ensemble.setWords);
    append(builder.#value, ensemble.value);
    append(builder.#cover, ensemble.cover);
    append(builder.#gain, ensemble.gain);
    return builder;
  }
}

export interface NodeSplit {
  readonly feature: number;
  /** A threshold, or the words of a category set. */
  readonly test: number | Uint32Array;
  readonly missingLeft: boolean;
  readonly left: number;
  readonly right: number;
  readonly gain: number;
}

function append(list: number[], values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) list.push(values[i]!);
}

export function nTreesOf(ensemble: TreeEnsemble): number {
  return ensemble.roots.length - 1;
}

/** The words of a node's category set; `undefined` when it tests a threshold. */
export function categorySetOf(ensemble: TreeEnsemble, node: number): Uint32Array | undefined {
  const set = ensemble.set[node]!;
  return set < 0
    ? undefined
    : ensemble.setWords.subarray(ensemble.setStarts[set]!, ensemble.setStarts[set + 1]!);
}

/** Whether a row with the value x of the node's column goes left. */
export function goesLeft(ensemble: TreeEnsemble, node: number, x: number): boolean {
  if (Number.isNaN(x)) return ensemble.missingLeft[node] === 1;
  const set = ensemble.set[node]!;
  return set < 0 ? x <= ensemble.threshold[node]! : isInSet(ensemble, set, x);
}

function isInSet({ setStarts, setWords }: TreeEnsemble, set: number, code: number): boolean {
  const word = setStarts[set]! + (code >> 5);
  return code >= 0 && word < setStarts[set + 1]! && ((setWords[word]! >>> (code & 31)) & 1) === 1;
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

/**
 * One column per score: its initial score and the leaf values of the trees that add to it, in their order. A tree whose
 * leaves have one value adds to score t % nScores, else to all of them.
 */
export function ensembleScores(
  ensemble: TreeEnsemble,
  initialScores: ArrayLike<number>,
  columns: readonly Float32Array[],
  nRows: number,
): Float64Array[] {
  const { width, value } = ensemble;
  const scores = Array.from(initialScores, (initial) => new Float64Array(nRows).fill(initial));
  const matrix = rowMajor(columns, nRows);
  for (let tree = 0; tree < nTreesOf(ensemble); tree++) {
    const first = width === 1 ? tree % scores.length : 0;
    for (let row = 0, base = 0; row < nRows; row++, base += columns.length) {
      const leaf = leafOf(ensemble, tree, matrix, base) * width;
      for (let k = 0; k < width; k++) scores[first + k]![row]! += value[leaf + k]!;
    }
  }
  return scores;
}

/** The leaf that a row of the matrix, which begins at `base`, comes to. */
export function leafOf(ensemble: TreeEnsemble, tree: number, matrix: Float32Array, base: number): number {
  const { feature, threshold, missingLeft, left, right, set } = ensemble;
  let node = ensemble.roots[tree]!;
  for (let column = feature[node]!; column >= 0; column = feature[node]!) {
    const x = matrix[base + column]!;
    const inSet = set[node]! >= 0 && isInSet(ensemble, set[node]!, x);
    const isLeft =
      (set[node]! < 0 ? x <= threshold[node]! : inSet) || (missingLeft[node] === 1 && Number.isNaN(x));
    node = isLeft ? left[node]! : right[node]!;
  }
  return node;
}

const arrayTypes = {
  roots: Int32Array,
  feature: Int32Array,
  threshold: Float32Array,
  missingLeft: Uint8Array,
  left: Int32Array,
  right: Int32Array,
  set: Int32Array,
  setStarts: Int32Array,
  setWords: Uint32Array,
  value: Float32Array,
  cover: Float32Array,
  gain: Float32Array,
} as const;

/** Arrays as base64 of their little-endian bytes: a forest has millions of numbers. */
export function ensembleToJSON(ensemble: TreeEnsemble): Record<string, string | number> {
  const json: Record<string, string | number> = { width: ensemble.width };
  for (const name of Object.keys(arrayTypes) as (keyof typeof arrayTypes)[]) {
    const { buffer, byteOffset, byteLength } = ensemble[name];
    json[name] = toBase64(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return json;
}

export function ensembleFromJSON(json: unknown): TreeEnsemble {
  const data = json as Record<keyof typeof arrayTypes, string> & { width: number };
  const arrays = Object.entries(arrayTypes).map(([name, Type]) => {
    const bytes = fromBase64(data[name as keyof typeof arrayTypes]);
    return [name, new Type(bytes.buffer)];
  });
  return { width: data.width, ...Object.fromEntries(arrays) } as TreeEnsemble;
}
