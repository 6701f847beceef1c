import { TrainingError } from '../../errors.ts';
import { FOREST_NODE_BYTES } from '../kernel/assembly/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { EVERY_VALUE } from '../tree/grower.ts';
import { nTreesOf, storableGain, type TreeEnsemble } from '../tree/tree.ts';

/** A column of the model and where it is cut into bins. */
export interface ColumnCuts {
  readonly column: number;
  readonly thresholds: Float32Array;
}

/** A forest beyond this could be trained, but not written: base64 of it fills the longest string, 2^29 characters. */
const MAX_FOREST_BYTES = 360 * 1024 * 1024;
/** Of an ensemble's arrays, but for the values. */
const NODE_BYTES = 29;

/**
 * @throws TrainingError MODEL_TOO_LARGE as soon as the trees so far tell that all of them would be.
 */
export function checkForestSize(trees: ForestTrees, nEstimators: number): void {
  const bytesPerTree = trees.bytes / trees.nTrees;
  const bytes = bytesPerTree * nEstimators;
  if (bytes <= MAX_FOREST_BYTES) return;
  const mebibytes = Math.ceil(bytes / 2 ** 20);
  throw new TrainingError(
    'MODEL_TOO_LARGE',
    `${nEstimators} trees of ${Math.ceil(bytesPerTree / 2 ** 20)} MiB make a model of ${mebibytes} MiB; it must be <= ${MAX_FOREST_BYTES / 2 ** 20} MiB; raise min_samples_leaf, or lower max_depth or n_estimators`,
    { evidence: { model_bytes: Math.ceil(bytes), limit_bytes: MAX_FOREST_BYTES } },
  );
}

/** The trees of a forest as they are grown: one ensemble of one tree each, until they are joined. */
export class ForestTrees {
  readonly #width: number;
  readonly #parts: TreeEnsemble[] = [];
  #nTrees = 0;
  #nNodes = 0;

  constructor(width: number) {
    this.#width = width;
  }

  static of(ensemble: TreeEnsemble): ForestTrees {
    const trees = new ForestTrees(ensemble.width);
    trees.#parts.push(ensemble);
    trees.#nTrees = nTreesOf(ensemble);
    trees.#nNodes = ensemble.feature.length;
    return trees;
  }

  get nTrees(): number {
    return this.#nTrees;
  }

  get bytes(): number {
    return this.#nNodes * (NODE_BYTES + 4 * this.#width);
  }

  /** Reads a tree that the kernel has grown. @param divisor - of the leaves' values */
  add(
    kernel: Kernel,
    address: number,
    maxNodes: number,
    features: readonly ColumnCuts[],
    divisor: number,
  ): void {
    const nNodes = kernel.getInt(address);
    const nodes = address + 16;
    const ints = kernel.int32(nodes, (nNodes * FOREST_NODE_BYTES) / 4);
    const floats = kernel.float32(nodes, (nNodes * FOREST_NODE_BYTES) / 4);
    const values = kernel.float32(nodes + maxNodes * FOREST_NODE_BYTES, nNodes * this.#width);
    const tree = emptyEnsemble(this.#width, nNodes, 1);
    tree.roots[1] = nNodes;
    for (let node = 0; node < nNodes; node++) {
      const at = (node * FOREST_NODE_BYTES) / 4;
      const feature = ints[at]!;
      tree.cover[node] = floats[at + 5]!;
      if (feature < 0) {
        tree.feature[node] = -1;
        for (let k = node * this.#width; k < (node + 1) * this.#width; k++)
          tree.value[k] = values[k]! / divisor;
        continue;
      }
      const { column, thresholds } = features[feature]!;
      const cut = ints[at + 1]!;
      tree.feature[node] = column;
      tree.threshold[node] = cut < thresholds.length ? thresholds[cut]! : EVERY_VALUE;
      tree.missingLeft[node] = ints[at + 2]!;
      tree.left[node] = ints[at + 3]!;
      tree.right[node] = ints[at + 4]!;
      tree.gain[node] = storableGain(floats[at + 6]!);
    }
    this.#parts.push(tree);
    this.#nTrees++;
    this.#nNodes += nNodes;
  }

  build(): TreeEnsemble {
    if (this.#parts.length !== 1) {
      const joined = joinEnsembles(this.#width, this.#parts);
      this.#parts.splice(0, this.#parts.length, joined);
    }
    return this.#parts[0]!;
  }
}

function emptyEnsemble(width: number, nNodes: number, nTrees: number): TreeEnsemble {
  return {
    width,
    roots: new Int32Array(nTrees + 1),
    feature: new Int32Array(nNodes),
    threshold: new Float32Array(nNodes),
    missingLeft: new Uint8Array(nNodes),
    left: new Int32Array(nNodes),
    right: new Int32Array(nNodes),
    set: new Int32Array(nNodes).fill(-1),
    setStarts: new Int32Array(1),
    setWords: new Uint32Array(0),
    value: new Float32Array(nNodes * width),
    cover: new Float32Array(nNodes),
    gain: new Float32Array(nNodes),
  };
}

function joinEnsembles(width: number, parts: readonly TreeEnsemble[]): TreeEnsemble {
  const nNodes = parts.reduce((sum, part) => sum + part.feature.length, 0);
  const nTrees = parts.reduce((sum, part) => sum + nTreesOf(part), 0);
  const joined = emptyEnsemble(width, nNodes, nTrees);
  let node = 0;
  let tree = 0;
  for (const part of parts) {
    for (const name of ['feature', 'threshold', 'missingLeft', 'cover', 'gain'] as const) {
      (joined[name] as Float32Array).set(part[name] as Float32Array, node);
    }
    joined.value.set(part.value, node * width);
    for (let i = 0; i < part.feature.length; i++) {
      if (part.feature[i]! < 0) continue;
      joined.left[node + i] = part.left[i]! + node;
      joined.right[node + i] = part.right[i]! + node;
    }
    for (let i = 0; i < nTreesOf(part); i++) joined.roots[tree++] = part.roots[i]! + node;
    node += part.feature.length;
  }
  joined.roots[nTrees] = nNodes;
  return joined;
}
