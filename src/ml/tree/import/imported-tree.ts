/** A tree as other libraries list it, checked and added to ours. */
import type { NodeSplit, TreeEnsembleBuilder } from '../tree.ts';
import { notReadable } from './untrusted.ts';

export interface ImportedLeaf {
  readonly value: number;
  readonly cover: number;
}

export interface ImportedSplit extends Omit<NodeSplit, 'left' | 'right'> {
  readonly cover: number;
  /** Numbers of nodes in the library's own counting. */
  readonly left: number;
  readonly right: number;
}

export type ImportedNode = ImportedLeaf | ImportedSplit;

/**
 * Adds a tree, children behind their parents.
 * @param nodeAt - reads and checks a node. It is asked for nodes of [0, nNodes) only, and for each at most once: lists
 * whose nodes have two parents, or lead back up, are refused.
 * @throws ValidationError MODEL_NOT_READABLE.
 */
export function addImportedTree(
  builder: TreeEnsembleBuilder,
  nNodes: number,
  root: number,
  nodeAt: (node: number) => ImportedNode,
  name: string,
): void {
  const isSeen = new Uint8Array(nNodes);
  const take = (node: number): ImportedNode => {
    if (!Number.isInteger(node) || node < 0 || node >= nNodes) {
      throw notReadable(`${name} has ${nNodes} nodes but leads to node ${node}`);
    }
    if (isSeen[node] === 1) throw notReadable(`${name} reaches node ${node} twice: it is no tree`);
    isSeen[node] = 1;
    const read = nodeAt(node);
    if (!(read.cover >= 0 && read.cover < 2 ** 127))
      throw notReadable(`${name} has a cover of ${read.cover}`);
    return read;
  };
  const add = (read: ImportedNode) =>
    builder.addLeaf('value' in read ? float32Of(read.value, name) : 0, read.cover);
  builder.beginTree();
  const first = take(root);
  const waiting = [{ read: first, node: add(first) }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { read, node } = next;
    if ('value' in read) continue;
    const [left, right] = [take(read.left), take(read.right)];
    const split = { ...read, left: add(left), right: add(right) };
    builder.split(node, split);
    waiting.push({ read: right, node: split.right }, { read: left, node: split.left });
  }
}

function float32Of(value: number, name: string): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded))
    throw notReadable(`${name} has a leaf of ${value}, which is no finite float32`);
  return rounded;
}
