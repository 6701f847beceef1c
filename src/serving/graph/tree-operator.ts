/** TreeEnsembleRegressor: float32 sums, one per target, of what the leaves add. */
import type { OnnxNode } from '../../ml/onnx/read/onnx-model.ts';
import type { GraphCompiler, OperatorCompiler } from './graph-compiler.ts';
import type { Block, Rows } from './graph-value.ts';
import { listedTrees } from './listed-trees.ts';
import { requireInputs } from './node-attributes.ts';
import { NotSupported } from './not-supported.ts';
import { type PackedTrees, packTrees } from './packed-trees.ts';
import { fillRanks } from './rank-columns.ts';
import { leavesOfRows, leavesOfTrees } from './walk-trees.ts';

function treeEnsembleRegressor(node: OnnxNode, graph: GraphCompiler): Rows {
  requireInputs(node, 1);
  const from = graph.rows(node.inputs[0]!);
  // Of doubles the runtime adds up doubles; float32 values compare with float32 thresholds as they are.
  if (from.type !== 'double' || !from.isFloat32 || from.tail.length !== 1)
    throw new NotSupported('trees over other than float32 values as doubles');
  const trees = packTrees(listedTrees(node, from.width));
  graph.needTreeScratch(trees.nColumns, trees.roots.length);
  graph.keptBytes += bytesOf(trees);
  const out = graph.allocate('float', [trees.nTargets]);
  graph.steps.push((block) => scoreBlock(trees, from, out, block));
  return out;
}

/** Rows of fours go through each tree together; the rest go one by one through four trees at a time. */
function scoreBlock(trees: PackedTrees, from: Rows, out: Rows, block: Block): void {
  const { numbers, ranks, leaves, capacity, nRows } = block;
  const { nTargets, base, nColumns, features, roots } = trees;
  fillRanks(features, nColumns, numbers, from.start * capacity, from.width, nRows, ranks);
  const to = out.start * capacity;
  for (let row = 0, at = to; row < nRows; row++)
    for (let target = 0; target < nTargets; target++) numbers[at++] = base[target]!;
  const nFours = nRows & ~3;
  if (nFours > 0) {
    for (let tree = 0; tree < roots.length; tree++) {
      leavesOfRows(trees, tree, ranks, nFours, leaves);
      addOfTree(trees, tree, leaves, nFours, numbers, to);
    }
  }
  for (let row = nFours; row < nRows; row++) {
    leavesOfTrees(trees, ranks, row * nColumns, leaves);
    addOfRow(trees, leaves, numbers, to + row * nTargets);
  }
  const count = nRows * nTargets;
  for (let i = 0; i < count; i++) numbers[to + i] = Math.fround(numbers[to + i]!);
}

function addOfTree(
  { nTargets, targetOfTree, leafValue, operand, leafEntries, entryTarget, entryWeight }: PackedTrees,
  tree: number,
  leaves: Int32Array,
  nRows: number,
  numbers: Float64Array,
  to: number,
): void {
  if (targetOfTree !== undefined) {
    for (let row = 0, at = to + targetOfTree[tree]!; row < nRows; row++, at += nTargets)
      numbers[at]! += leafValue[leaves[row]!]!;
    return;
  }
  for (let row = 0, at = to; row < nRows; row++, at += nTargets) {
    const leaf = operand[leaves[row]!]!;
    const next = leafEntries[leaf + 1]!;
    for (let i = leafEntries[leaf]!; i < next; i++) numbers[at + entryTarget[i]!]! += entryWeight[i]!;
  }
}

/** In the order of the trees, so that a row alone gets what it gets in a batch, to the bit. */
function addOfRow(
  { roots, targetOfTree, leafValue, operand, leafEntries, entryTarget, entryWeight }: PackedTrees,
  leaves: Int32Array,
  numbers: Float64Array,
  to: number,
): void {
  const nTrees = roots.length;
  if (targetOfTree !== undefined) {
    for (let tree = 0; tree < nTrees; tree++) numbers[to + targetOfTree[tree]!]! += leafValue[leaves[tree]!]!;
    return;
  }
  for (let tree = 0; tree < nTrees; tree++) {
    const leaf = operand[leaves[tree]!]!;
    const next = leafEntries[leaf + 1]!;
    for (let i = leafEntries[leaf]!; i < next; i++) numbers[to + entryTarget[i]!]! += entryWeight[i]!;
  }
}

function bytesOf(trees: PackedTrees): number {
  const { roots, meta, operand, setWords, leafEntries, entryTarget, entryWeight, features } = trees;
  const lists = [roots, meta, operand, setWords, leafEntries, entryTarget, entryWeight];
  const thresholds = features.map((one) => one.thresholds);
  return [...lists, ...thresholds].reduce((sum, list) => sum + list.byteLength, 0);
}

export const treeOperators: Readonly<Record<string, OperatorCompiler>> = {
  'ai.onnx.ml:TreeEnsembleRegressor': treeEnsembleRegressor,
};
