/** Gradient boosting as LabelEncoder, Concat and one TreeEnsembleRegressor. */
import type { BoostingPipelineModel } from '../tree/boosting-pipeline.ts';
import type { BoostedTrees } from '../tree/gradient-boosting.ts';
import { nTreesOf, type TreeEnsemble } from '../tree/tree.ts';
import { type ExpandedInput, expandInputs } from './expanded-inputs.ts';
import { categoryToFloat, concatenated, constantScores, type FeatureInput } from './feature-inputs.ts';
import { type AttributeInit, attribute, ElementType, type GraphBuilder } from './graph-builder.ts';

/**
 * double [N, nScores].
 * Values are float32, compared as double: thresholds are float32 too, so every row takes the side that it takes in
 * memory. Double makes the runtime add up leaf values without rounding after each of hundreds of trees.
 */
export function boostingScores(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const used = usedColumns(model.boosted.trees);
  if (used.length === 0) return constantScores(graph, inputs[0]!.input, constantsOf(model.boosted));
  const expanded = expandInputs(graph, inputs, model.expansion);
  const columns = used.map((column) => columnOf(graph, model, expanded[column]!, column));
  const matrix = graph.node('Cast', [concatenated(graph, columns)], {
    attributes: [attribute.int('to', ElementType.double)],
  });
  const scores = graph.node('TreeEnsembleRegressor', [matrix], {
    domain: 'ai.onnx.ml',
    attributes: ensembleAttributes(model.boosted, used),
  });
  return graph.node('Cast', [scores], { attributes: [attribute.int('to', ElementType.double)] });
}

/** Columns that some tree tests, ascending. */
function usedColumns(trees: TreeEnsemble): number[] {
  return [...new Set(trees.feature)].filter((column) => column >= 0).sort((a, b) => a - b);
}

function columnOf(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  input: ExpandedInput,
  column: number,
): string {
  if (input.kind === 'numeric') return input.tensor();
  const { rankOfCategory } = model.orders.find((order) => order.feature === column)!;
  const categories = model.features[input.source]!.categories!;
  const ranked = categories.filter((_, category) => rankOfCategory[category] !== null);
  const ranks = rankOfCategory.filter((rank) => rank !== null);
  return categoryToFloat(graph, input.input, ranked, ranks);
}

/** What trees without a split add up to. */
function constantsOf({ nScores, initialScores, trees }: BoostedTrees): number[] {
  const sums = Array.from(initialScores);
  for (let tree = 0; tree < nTreesOf(trees); tree++)
    sums[tree % nScores]! += trees.value[trees.roots[tree]!]!;
  return sums;
}

function ensembleAttributes(
  { nScores, initialScores, trees }: BoostedTrees,
  used: readonly number[],
): AttributeInit[] {
  const nNodes = trees.feature.length;
  const column = new Map(used.map((feature, position) => [feature, position]));
  const treeIds = new Int32Array(nNodes);
  const nodeIds = new Int32Array(nNodes);
  for (let tree = 0; tree < nTreesOf(trees); tree++) {
    const root = trees.roots[tree]!;
    for (let node = root; node < trees.roots[tree + 1]!; node++) {
      treeIds[node] = tree;
      nodeIds[node] = node - root;
    }
  }
  // Node numbers inside their own tree.
  const local = (target: number, node: number) => target - (node - nodeIds[node]!);
  const nodes = Array.from({ length: nNodes }, (_, node) => node);
  const isLeaf = (node: number) => trees.feature[node]! < 0;
  const leaves = nodes.filter(isLeaf);
  return [
    attribute.ints('nodes_treeids', treeIds),
    attribute.ints('nodes_nodeids', nodeIds),
    attribute.ints(
      'nodes_featureids',
      nodes.map((node) => (isLeaf(node) ? 0 : column.get(trees.feature[node]!)!)),
    ),
    attribute.strings(
      'nodes_modes',
      nodes.map((node) => (isLeaf(node) ? 'LEAF' : 'BRANCH_LEQ')),
    ),
    attribute.floats('nodes_values', trees.threshold),
    attribute.ints('nodes_missing_value_tracks_true', trees.missingLeft),
    attribute.ints(
      'nodes_truenodeids',
      nodes.map((node) => (isLeaf(node) ? 0 : local(trees.left[node]!, node))),
    ),
    attribute.ints(
      'nodes_falsenodeids',
      nodes.map((node) => (isLeaf(node) ? 0 : local(trees.right[node]!, node))),
    ),
    attribute.ints(
      'target_treeids',
      leaves.map((node) => treeIds[node]!),
    ),
    attribute.ints(
      'target_nodeids',
      leaves.map((node) => nodeIds[node]!),
    ),
    attribute.ints(
      'target_ids',
      leaves.map((node) => treeIds[node]! % nScores),
    ),
    attribute.floats(
      'target_weights',
      leaves.map((node) => trees.value[node]!),
    ),
    attribute.floats('base_values', initialScores),
    attribute.int('n_targets', nScores),
    attribute.string('aggregate_function', 'SUM'),
    attribute.string('post_transform', 'NONE'),
  ];
}
