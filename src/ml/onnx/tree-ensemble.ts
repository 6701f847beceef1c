/**
 * Trees as the node lists of ai.onnx.ml's TreeEnsembleRegressor. A test of a category set becomes a chain of
 * equalities, one for each category of its smaller side, that all lead to the same child: the runtime takes
 * nodes with several parents, and turns chains over small codes into one test of a bit mask.
 */
import { categorySetOf, nTreesOf, type TreeEnsemble } from '../tree/tree.ts';
import { type AttributeInit, attribute } from './graph-builder.ts';
import { LongAttribute } from './long-attribute.ts';

const utf8 = new TextEncoder();
const modes = {
  leaf: utf8.encode('LEAF'),
  lessOrEqual: utf8.encode('BRANCH_LEQ'),
  equal: utf8.encode('BRANCH_EQ'),
} as const;

class NodeLists {
  readonly #treeIds = new LongAttribute('nodes_treeids', 'ints');
  readonly #nodeIds = new LongAttribute('nodes_nodeids', 'ints');
  readonly #featureIds = new LongAttribute('nodes_featureids', 'ints');
  readonly #modes = new LongAttribute('nodes_modes', 'strings');
  readonly #values = new LongAttribute('nodes_values', 'floats');
  readonly #missingTracksTrue = new LongAttribute('nodes_missing_value_tracks_true', 'ints');
  readonly #trueIds = new LongAttribute('nodes_truenodeids', 'ints');
  readonly #falseIds = new LongAttribute('nodes_falsenodeids', 'ints');

  add(
    tree: number,
    id: number,
    mode: keyof typeof modes,
    feature = 0,
    value = 0,
    missing = 0,
    yes = 0,
    no = 0,
  ): void {
    this.#treeIds.addInt(tree);
    this.#nodeIds.addInt(id);
    this.#modes.addString(modes[mode]);
    this.#featureIds.addInt(feature);
    this.#values.addFloat(value);
    this.#missingTracksTrue.addInt(missing);
    this.#trueIds.addInt(yes);
    this.#falseIds.addInt(no);
  }

  attributes(): AttributeInit[] {
    return [
      this.#treeIds,
      this.#nodeIds,
      this.#featureIds,
      this.#modes,
      this.#values,
      this.#missingTracksTrue,
      this.#trueIds,
      this.#falseIds,
    ].map((list) => list.build());
  }
}

/**
 * @param baseValues - one per score, added to it.
 * @param columnOf - position in the operator's input of each column that a tree tests.
 * @param nCategoriesOf - number of codes of a category column.
 */
export function ensembleAttributes(
  trees: TreeEnsemble,
  baseValues: Float32Array,
  columnOf: (column: number) => number,
  nCategoriesOf: (column: number) => number,
): AttributeInit[] {
  const nScores = baseValues.length;
  const nodes = new NodeLists();
  const targetTrees = new LongAttribute('target_treeids', 'ints');
  const targetNodes = new LongAttribute('target_nodeids', 'ints');
  const targetIds = new LongAttribute('target_ids', 'ints');
  const weights = new LongAttribute('target_weights', 'floats');
  for (let tree = 0; tree < nTreesOf(trees); tree++) {
    const root = trees.roots[tree]!;
    // Links of chains are numbered behind the tree's own nodes.
    let nextId = trees.roots[tree + 1]! - root;
    for (let node = root; node < trees.roots[tree + 1]!; node++) {
      const id = node - root;
      if (trees.feature[node]! < 0) {
        nodes.add(tree, id, 'leaf');
        for (let k = 0; k < trees.width; k++) {
          const weight = trees.value[node * trees.width + k]!;
          if (trees.width > 1 && weight === 0) continue;
          targetTrees.addInt(tree);
          targetNodes.addInt(id);
          targetIds.addInt(trees.width > 1 ? k : tree % nScores);
          weights.addFloat(weight);
        }
      } else {
        nextId = addTest(nodes, trees, tree, node, root, nextId, columnOf, nCategoriesOf);
      }
    }
  }
  return [
    ...nodes.attributes(),
    ...[targetTrees, targetNodes, targetIds, weights].map((list) => list.build()),
    attribute.floats('base_values', baseValues),
    attribute.int('n_targets', nScores),
    attribute.string('aggregate_function', 'SUM'),
    attribute.string('post_transform', 'NONE'),
  ];
}

/** @returns the first number that is free behind the nodes added */
function addTest(
  nodes: NodeLists,
  trees: TreeEnsemble,
  tree: number,
  node: number,
  root: number,
  nextId: number,
  columnOf: (column: number) => number,
  nCategoriesOf: (column: number) => number,
): number {
  const column = columnOf(trees.feature[node]!);
  const left = trees.left[node]! - root;
  const right = trees.right[node]! - root;
  const set = categorySetOf(trees, node);
  if (set === undefined) {
    const missing = trees.missingLeft[node]!;
    nodes.add(tree, node - root, 'lessOrEqual', column, trees.threshold[node]!, missing, left, right);
    return nextId;
  }
  const leftCodes: number[] = [];
  const rightCodes: number[] = [];
  for (let code = 0; code < nCategoriesOf(trees.feature[node]!); code++) {
    const isLeft = ((set[code >> 5] ?? 0) >>> (code & 31)) & 1;
    (isLeft ? leftCodes : rightCodes).push(code);
  }
  const viaLeft = leftCodes.length > 0 && (leftCodes.length <= rightCodes.length || rightCodes.length === 0);
  const codes = viaLeft ? leftCodes : rightCodes;
  const [yes, otherwise] = viaLeft ? [left, right] : [right, left];
  const missingTracks = (trees.missingLeft[node] === 1) === viaLeft ? 1 : 0;
  codes.forEach((code, i) => {
    const id = i === 0 ? node - root : nextId + i - 1;
    const no = i === codes.length - 1 ? otherwise : nextId + i;
    nodes.add(tree, id, 'equal', column, code, i === 0 ? missingTracks : 0, yes, no);
  });
  return nextId + codes.length - 1;
}
