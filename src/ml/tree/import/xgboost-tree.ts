/** One tree of an XGBoost model. */
import type { TreeEnsembleBuilder } from '../tree.ts';
import { nextBelow } from './float32.ts';
import { addImportedTree, type ImportedNode } from './imported-tree.ts';
import {
  type Fields,
  field,
  fieldsOf,
  integerOf,
  listOf,
  MAX_CLASSES,
  notReadable,
  numberOf,
  unsupported,
} from './untrusted.ts';

/** What all trees of a model share. */
export interface TreeShape {
  /** How each feature is tested; what the file does not say, its first test does. */
  readonly kinds: ('number' | 'category' | undefined)[];
  /** Codes of each feature that there are categories for. */
  readonly nCodes: readonly number[];
}

/** @param weight - factor of all leaves */
export function addXgboostTree(
  builder: TreeEnsembleBuilder,
  value: unknown,
  weight: number,
  shape: TreeShape,
  name: string,
): void {
  const tree = fieldsOf(value, name);
  const param = fieldsOf(field(tree, 'tree_param'), `${name}.tree_param`);
  if (integerOf(field(param, 'size_leaf_vector') ?? 0, `${name}.size_leaf_vector`, 0, MAX_CLASSES) > 1) {
    throw unsupported(
      'UNSUPPORTED_MODEL',
      `${name} has leaves of several values; only one value is supported`,
    );
  }
  const left = listOf(field(tree, 'left_children'), `${name}.left_children`);
  const nNodes = left.length;
  const column = (what: string) => listOf(field(tree, what), `${name}.${what}`, nNodes);
  const right = column('right_children');
  const conditions = column('split_conditions');
  const features = column('split_indices');
  const defaultLeft = column('default_left');
  const covers = column('sum_hessian');
  const gains = column('loss_changes');
  const sets = categorySets(
    tree,
    nNodes,
    shape.nCodes.reduce((most, n) => Math.max(most, n), 0),
    name,
  );
  const at = (list: ArrayLike<unknown>, node: number, what: string) =>
    numberOf(list[node], `${name}.${what}[${node}]`);
  const nodeAt = (node: number): ImportedNode => {
    const cover = Math.max(0, at(covers, node, 'sum_hessian'));
    if (at(left, node, 'left_children') === -1) {
      // Both are float32 there, and decimal text here.
      return { value: Math.fround(weight) * Math.fround(at(conditions, node, 'split_conditions')), cover };
    }
    const feature = integerOf(features[node], `${name}.split_indices`, 0, shape.kinds.length - 1);
    const gain = at(gains, node, 'loss_changes');
    const missingLeft = integerOf(Number(defaultLeft[node]), `${name}.default_left`, 0, 1) === 1;
    const set = sets.get(node);
    const [ours, other] = [at(left, node, 'left_children'), at(right, node, 'right_children')];
    // Categories of the set go right there and left here.
    if (set !== undefined) {
      requireKind('category', feature, shape, name);
      requireCategories(set, feature, shape, name);
      return { feature, test: set, missingLeft: !missingLeft, left: other, right: ours, gain, cover };
    }
    requireKind('number', feature, shape, name);
    // x < t there, x <= t here.
    const test = nextBelow(float32(at(conditions, node, 'split_conditions'), name));
    return { feature, test, missingLeft, left: ours, right: other, gain, cover };
  };
  addImportedTree(builder, nNodes, 0, nodeAt, name);
}

function float32(value: number, name: string): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded))
    throw notReadable(`${name} has a threshold of ${value}, which is no float32`);
  return rounded;
}

/** Codes are float32 in XGBoost, too: whole numbers up to here are exact. A set has a bit for each code. */
const MAX_CODE = 2 ** 24 - 1;

/** Words of the category set of each node that has one. */
function categorySets(
  tree: Fields,
  nNodes: number,
  maxCodes: number,
  name: string,
): Map<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  const types = field(tree, 'split_type');
  if (types === undefined) return sets;
  const typeOf = listOf(types, `${name}.split_type`, nNodes);
  const nodes = listOf(field(tree, 'categories_nodes') ?? [], `${name}.categories_nodes`);
  const sizes = listOf(field(tree, 'categories_sizes') ?? [], `${name}.categories_sizes`, nodes.length);
  const codes = listOf(field(tree, 'categories') ?? [], `${name}.categories`);
  // Segments follow each other: shared ones could make a short file large.
  let end = 0;
  for (let i = 0; i < nodes.length; i++) {
    const node = integerOf(nodes[i], `${name}.categories_nodes`, 0, nNodes - 1);
    const start = end;
    end += integerOf(sizes[i], `${name}.categories_sizes`, 0, codes.length - start);
    if (sets.has(node)) throw notReadable(`${name} has two sets of categories for node ${node}`);
    if (end === start) throw notReadable(`${name} splits on an empty set of categories`);
    sets.set(node, wordsOf(codes, start, end, maxCodes, name));
  }
  for (let node = 0; node < nNodes; node++) {
    const isSet = integerOf(Number(typeOf[node]), `${name}.split_type`, 0, 1) === 1;
    if (isSet !== sets.has(node))
      throw notReadable(`${name} has a set for a node that tests a threshold, or none`);
  }
  return sets;
}

function wordsOf(
  codes: ArrayLike<unknown>,
  start: number,
  end: number,
  maxCodes: number,
  name: string,
): Uint32Array {
  const own = Array.from({ length: end - start }, (_, i) =>
    integerOf(codes[start + i], `${name}.categories`, 0, MAX_CODE),
  );
  const largest = own.reduce((most, code) => Math.max(most, code), 0);
  if (largest >= maxCodes) throw categoriesMissing(name, largest);
  const words = new Uint32Array((largest >> 5) + 1);
  for (const code of own) words[code >> 5]! |= 1 << (code & 31);
  return words;
}

function requireKind(kind: 'number' | 'category', feature: number, { kinds }: TreeShape, name: string): void {
  kinds[feature] ??= kind;
  if (kinds[feature] !== kind) {
    throw notReadable(
      `${name} tests feature ${feature} as a ${kind}, and it is a ${kinds[feature]} elsewhere`,
    );
  }
}

function requireCategories(set: Uint32Array, feature: number, { nCodes }: TreeShape, name: string): void {
  const largest = set.length * 32 - 1 - Math.clz32(set.at(-1)!);
  if (largest >= nCodes[feature]!) throw categoriesMissing(`${name}, feature ${feature},`, largest);
}

function categoriesMissing(name: string, code: number) {
  return unsupported(
    'UNSUPPORTED_MODEL',
    `${name} splits on category code ${code}, and the file does not say what it stands for; give the option categories with the names of all categories of each categorical feature in the order of their codes`,
  );
}
