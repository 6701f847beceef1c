/**
 * Trees of brought models are what a runtime walks without looking: children that are not there, circles and chains as
 * long as the stack are found here.
 */
import { invalid } from './shape.ts';
import type { NodeView } from './value-facts.ts';

/** The longest way down; a runtime that builds trees by recursion needs stack for each step. */
const MAX_DEPTH = 4_096;
/** Tree and node numbers below this make one key. */
const MOST_NUMBER = 2 ** 26;

const leafMode = 'LEAF';
const branchModes = new Set([
  ...['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'],
]);

/** @param entries - what the attributes of the leaves' values begin with */
export function requireSoundTrees(view: NodeView, entries: 'class_' | 'target_'): void {
  const { where } = view;
  const ints = (name: string) => {
    const found = view.attribute(name);
    if (found === undefined) throw invalid(where, `it has no ${name}`);
    return found.ints;
  };
  const treeIds = ints('nodes_treeids');
  const nodeIds = ints('nodes_nodeids');
  const key = (tree: number | undefined, node: number | undefined) => {
    if (!(tree! >= 0 && tree! < MOST_NUMBER && node! >= 0 && node! < MOST_NUMBER))
      throw invalid(where, `a node has the number ${node} in tree ${tree}`);
    return tree! * MOST_NUMBER + node!;
  };
  const placeOf = new Map<number, number>();
  for (let i = 0; i < treeIds.length; i++) placeOf.set(key(treeIds[i], nodeIds[i]), i);
  if (placeOf.size !== treeIds.length) throw invalid(where, 'a node is there twice');
  const isLeaf = leavesOf(view);
  if (isLeaf.length !== treeIds.length) throw invalid(where, 'its lists differ in length');
  const childrenOf = (name: string) => {
    const ids = ints(name);
    return Int32Array.from(treeIds, (tree, i) => {
      if (isLeaf[i] === 1) return -1;
      const place = placeOf.get(key(tree, ids[i]));
      if (place === undefined) throw invalid(where, `tree ${tree} has no node ${ids[i]}`);
      return place;
    });
  };
  requireDepth(where, childrenOf('nodes_truenodeids'), childrenOf('nodes_falsenodeids'));
  const entryTrees = ints(`${entries}treeids`);
  const entryNodes = ints(`${entries}nodeids`);
  for (let i = 0; i < entryTrees.length; i++)
    if (!placeOf.has(key(entryTrees[i], entryNodes[i])))
      throw invalid(where, `tree ${entryTrees[i]} has no leaf ${entryNodes[i]}`);
}

function leavesOf(view: NodeView): Uint8Array {
  const modes = view.attribute('nodes_modes')?.strings;
  if (modes === undefined) throw invalid(view.where, 'it has no nodes_modes');
  return Uint8Array.from({ length: modes.length }, (_, i) => {
    const mode = modes.at(i);
    if (mode !== leafMode && !branchModes.has(mode))
      throw invalid(view.where, `a node has the mode "${mode.slice(0, 40)}"`);
    return mode === leafMode ? 1 : 0;
  });
}

/** A walk without recursion: 1 is on the way down, 2 is done. Nodes may have several parents. */
function requireDepth(where: string, yes: Int32Array, no: Int32Array): void {
  const state = new Uint8Array(yes.length);
  const depth = new Int32Array(yes.length);
  const way: number[] = [];
  for (let start = 0; start < yes.length; start++) {
    if (state[start] !== 0) continue;
    way.push(start);
    while (way.length > 0) {
      const node = way.at(-1)!;
      const children = yes[node]! < 0 ? [] : [yes[node]!, no[node]!];
      if (state[node] === 0) {
        state[node] = 1;
        for (const child of children) {
          if (state[child] === 1) throw invalid(where, 'a tree goes round in a circle');
          if (state[child] === 0) way.push(child);
        }
        continue;
      }
      way.pop();
      if (state[node] === 2) continue;
      state[node] = 2;
      for (const child of children) depth[node] = Math.max(depth[node]!, depth[child]! + 1);
      if (depth[node]! > MAX_DEPTH) throw invalid(where, `a tree is deeper than ${MAX_DEPTH}`);
    }
  }
}
