/** The node lists of a TreeEnsembleRegressor, checked: what they say of each node, whatever order they are in. */
import type { ByteStrings } from '../../ml/onnx/read/number-list.ts';
import type { OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import { attributesOf, textOf } from './node-attributes.ts';
import { NotSupported } from './not-supported.ts';

export const Mode = { leaf: 0, lessOrEqual: 1, equal: 2 } as const;

type Ints = Int32Array | Float64Array;

/** Nodes in the order of the lists; a tree's nodes follow each other, its root first. */
export interface ListedTrees {
  readonly nTargets: number;
  /** Columns of the operator's input. */
  readonly nFeatures: number;
  /** Added to each target. */
  readonly base: Float64Array;
  /** First node of each tree, and one past the last node. */
  readonly trees: Int32Array;
  readonly mode: Uint8Array;
  readonly feature: Ints;
  readonly value: Float32Array;
  readonly missingTracksTrue: Ints;
  /** Positions in the lists. */
  readonly yes: Int32Array;
  readonly no: Int32Array;
  /** What each leaf adds, as entries [first, next) of the two lists below. */
  readonly entryStarts: Int32Array;
  readonly target: Int32Array;
  readonly weight: Float32Array;
}

const attributeTypes = {
  nodes_treeids: 'ints',
  nodes_nodeids: 'ints',
  nodes_featureids: 'ints',
  nodes_modes: 'strings',
  nodes_values: 'floats',
  nodes_missing_value_tracks_true: 'ints',
  nodes_truenodeids: 'ints',
  nodes_falsenodeids: 'ints',
  target_treeids: 'ints',
  target_nodeids: 'ints',
  target_ids: 'ints',
  target_weights: 'floats',
  base_values: 'floats',
  n_targets: 'int',
  aggregate_function: 'string',
  post_transform: 'string',
} as const;

/** @param nFeatures - columns of the operator's input */
export function listedTrees(node: OnnxNode, nFeatures: number): ListedTrees {
  const found = attributesOf(node, attributeTypes);
  const attribute = (name: keyof typeof attributeTypes) => {
    const one = found[name];
    if (one === undefined) throw new NotSupported(`trees without ${name}`);
    return one;
  };
  if (textOf(attribute('aggregate_function')) !== 'SUM' || textOf(attribute('post_transform')) !== 'NONE')
    throw new NotSupported('trees that do not add up to their result');
  const nTargets = attribute('n_targets').int;
  const base = Float64Array.from(attribute('base_values').floats);
  const modes = attribute('nodes_modes').strings;
  const nNodes = modes.length;
  /** Where they are used, they are held against what they may be. */
  const ints = (name: keyof typeof attributeTypes, length: number) => {
    const list = attribute(name).ints;
    if (list.length !== length) throw new NotSupported(`${name} has ${list.length} elements, not ${length}`);
    return list;
  };
  if (nNodes === 0 || !(nTargets >= 1) || base.length !== nTargets)
    throw new NotSupported('trees without targets');
  const treeIds = ints('nodes_treeids', nNodes);
  const value = attribute('nodes_values').floats;
  const weight = attribute('target_weights').floats;
  if (value.length !== nNodes) throw new NotSupported('node lists of different lengths');
  const mode = modesOf(modes);
  const trees = treeStarts(treeIds);
  const place = placesOfIds(trees, ints('nodes_nodeids', nNodes));
  const entries = {
    tree: ints('target_treeids', weight.length),
    node: ints('target_nodeids', weight.length),
    target: ints('target_ids', weight.length),
  };
  return {
    ...{ nTargets, nFeatures, base, trees, mode, value },
    feature: ints('nodes_featureids', nNodes),
    missingTracksTrue: ints('nodes_missing_value_tracks_true', nNodes),
    yes: childPlaces(trees, mode, place, ints('nodes_truenodeids', nNodes)),
    no: childPlaces(trees, mode, place, ints('nodes_falsenodeids', nNodes)),
    ...entriesByLeaf({ trees, treeIds, mode, place, nTargets }, entries, weight),
  };
}

const modeNames = [
  [Mode.leaf, 'LEAF'],
  [Mode.lessOrEqual, 'BRANCH_LEQ'],
  [Mode.equal, 'BRANCH_EQ'],
] as const;

/** The three names differ in length, and each is compared whole. */
function modesOf({ bytes, places }: ByteStrings): Uint8Array {
  const byLength = new Map<number, (typeof modeNames)[number]>(modeNames.map((one) => [one[1].length, one]));
  const modes = new Uint8Array(places.length / 2);
  const begin = places[0]!;
  // One call for all of them: a byte is a character here.
  const text = new TextDecoder('latin1').decode(bytes.subarray(begin, places.at(-2)! + places.at(-1)!));
  for (let i = 0; i < modes.length; i++) {
    const found = byLength.get(places[2 * i + 1]!);
    if (found === undefined || !text.startsWith(found[1], places[2 * i]! - begin))
      throw new NotSupported('a tree node of another mode');
    modes[i] = found[0];
  }
  return modes;
}

function treeStarts(treeIds: Ints): Int32Array {
  const starts = [0];
  if (!(treeIds[0]! >= 0)) throw new NotSupported('a tree of negative number');
  for (let i = 1; i < treeIds.length; i++) {
    if (treeIds[i]! < treeIds[i - 1]!) throw new NotSupported('trees that are not in order');
    if (treeIds[i] !== treeIds[i - 1]) starts.push(i);
  }
  return Int32Array.from([...starts, treeIds.length]);
}

/** Of node number `id` of a tree, at `trees[tree] + id`: its place in the lists. */
function placesOfIds(trees: Int32Array, nodeIds: Ints): Int32Array {
  const place = new Int32Array(nodeIds.length).fill(-1);
  for (let tree = 0; tree + 1 < trees.length; tree++) {
    const first = trees[tree]!;
    const next = trees[tree + 1]!;
    if (nodeIds[first] !== 0) throw new NotSupported('a tree that does not begin with its root');
    for (let i = first; i < next; i++) {
      const at = first + nodeIds[i]!;
      if (!(at >= first && at < next) || place[at] !== -1) throw new NotSupported('node numbers with gaps');
      place[at] = i;
    }
  }
  return place;
}

function childPlaces(trees: Int32Array, mode: Uint8Array, place: Int32Array, ids: Ints): Int32Array {
  const children = new Int32Array(ids.length);
  for (let tree = 0; tree + 1 < trees.length; tree++) {
    const first = trees[tree]!;
    const next = trees[tree + 1]!;
    for (let i = first; i < next; i++) {
      if (mode[i] === Mode.leaf) continue;
      const at = first + ids[i]!;
      if (!(at >= first && at < next)) throw new NotSupported('a child outside of its tree');
      children[i] = place[at]!;
    }
  }
  return children;
}

function entriesByLeaf(
  known: { trees: Int32Array; treeIds: Ints; mode: Uint8Array; place: Int32Array; nTargets: number },
  entries: { tree: Ints; node: Ints; target: Ints },
  weight: Float32Array,
): Pick<ListedTrees, 'entryStarts' | 'target' | 'weight'> {
  const { trees, treeIds, mode, place, nTargets } = known;
  const nEntries = weight.length;
  const entryStarts = new Int32Array(mode.length + 1);
  const target = new Int32Array(nEntries);
  const lastTree = trees.length - 2;
  let previous = -1;
  let tree = 0;
  for (let i = 0; i < nEntries; i++) {
    const treeId = entries.tree[i]!;
    while (tree < lastTree && treeIds[trees[tree]!]! < treeId) tree++;
    const first = trees[tree]!;
    const at = first + entries.node[i]!;
    const leaf = at >= first && at < trees[tree + 1]! ? place[at]! : -1;
    // In the order of the leaves, so that the entries of a leaf follow each other.
    if (treeIds[first] !== treeId || leaf < previous || mode[leaf] !== Mode.leaf)
      throw new NotSupported('weights out of order');
    const one = entries.target[i]!;
    if (!(one >= 0 && one < nTargets)) throw new NotSupported('a weight of no target');
    previous = leaf;
    entryStarts[leaf + 1]!++;
    target[i] = one;
  }
  for (let i = 0; i < mode.length; i++) entryStarts[i + 1]! += entryStarts[i]!;
  return { entryStarts, target, weight };
}
