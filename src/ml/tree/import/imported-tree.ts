/** A tree as other libraries list it, checked and added to ours. */
import type { NodeSplit, TreeEnsembleBuilder } from '../tree.ts';
import { nextBelow } from './float32.ts';
import { notReadable, unsupported } from './untrusted.ts';

export interface ImportedLeaf {
  readonly value: number;
  readonly cover: number;
}

export interface ImportedSplit extends Omit<NodeSplit, 'left' | 'right'> {
  readonly cover: number;
  /** Numbers of nodes in the library's own counting. */
  readonly left: number;
  readonly right: number;
  /** Values from -zeroBand to zeroBand go where missing ones go, whatever the threshold says. @default - they do not */
  readonly zeroBand?: number;
}

export type ImportedNode = ImportedLeaf | ImportedSplit;

/** Zero bands copy what is below them, in the worst case twice at every level. */
const MAX_NODES_WITH_COPIES = 2_000_000;

/**
 * Adds a tree, children behind their parents.
 * @param nodeAt - reads and checks a node. It is asked for nodes of [0, nNodes) only, and for each at most once: lists
 * whose nodes have two parents, or lead back up, are refused.
 * @throws ValidationError MODEL_NOT_READABLE; UNSUPPORTED_MODEL when zero bands make it too large.
 */
export function addImportedTree(
  builder: TreeEnsembleBuilder,
  nNodes: number,
  root: number,
  nodeAt: (node: number) => ImportedNode,
  name: string,
): void {
  const nodes = nodesFrom(root, nNodes, nodeAt, name);
  builder.beginTree();
  const waiting: Waiting[] = [];
  /** A copy has its share of the cover, so that expectations stay what they are. */
  const add = (number: number, share: number): number => {
    const read = nodes.get(number)!;
    const node = builder.addLeaf('value' in read ? read.value : 0, share * read.cover);
    if (!('value' in read)) waiting.push({ read, node, share });
    return node;
  };
  add(root, 1);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { read, node, share } = next;
    if (read.zeroBand === undefined) {
      builder.split(node, { ...read, left: add(read.left, share), right: add(read.right, share) });
    } else {
      if (builder.nNodes > MAX_NODES_WITH_COPIES) throw tooLarge(name);
      addWithZeroBand(builder, nodes, next, add);
    }
  }
}

interface Waiting {
  readonly read: ImportedSplit;
  readonly node: number;
  readonly share: number;
}

/** Below the band, in it, and above it: as many tests as the threshold's place needs. */
function addWithZeroBand(
  builder: TreeEnsembleBuilder,
  nodes: ReadonlyMap<number, ImportedNode>,
  { read, node, share }: Waiting,
  add: (number: number, share: number) => number,
): void {
  const { feature, missingLeft, gain } = read;
  const threshold = read.test as number;
  const [from, to] = [nextBelow(-read.zeroBand!), read.zeroBand!];
  const split = (at: number, test: number, isMissingLeft: boolean, left: number, right: number) =>
    builder.split(at, {
      feature,
      test,
      missingLeft: isMissingLeft,
      left,
      right,
      gain: at === node ? gain : 0,
    });
  const zerosGoLeft = threshold >= to;
  const isBelow = threshold <= from;
  if (missingLeft === zerosGoLeft && (zerosGoLeft || isBelow)) {
    split(node, threshold, missingLeft, add(read.left, share), add(read.right, share));
  } else if (!zerosGoLeft && !isBelow) {
    // The threshold is in the band: all of it goes to one side.
    split(node, missingLeft ? to : from, missingLeft, add(read.left, share), add(read.right, share));
  } else {
    const half = share / 2;
    const [left, right] = [nodes.get(read.left)!.cover, nodes.get(read.right)!.cover];
    const second = builder.addLeaf(0, half * (left + 2 * right));
    const third = builder.addLeaf(0, half * (left + right));
    if (missingLeft) {
      // Up to the threshold: left; below the band: right; in it: left; above it: right.
      split(node, threshold, true, add(read.left, half), second);
      split(second, from, false, add(read.right, half), third);
      split(third, to, true, add(read.left, half), add(read.right, half));
    } else {
      // Below the band: left; in it: right; up to the threshold: left; above: right.
      split(node, from, false, add(read.left, half), second);
      split(second, to, true, add(read.right, half), third);
      split(third, threshold, false, add(read.left, half), add(read.right, half));
    }
  }
}

/** All nodes below the root, each with one parent. */
function nodesFrom(
  root: number,
  nNodes: number,
  nodeAt: (node: number) => ImportedNode,
  name: string,
): Map<number, ImportedNode> {
  const nodes = new Map<number, ImportedNode>();
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!Number.isInteger(node) || node < 0 || node >= nNodes) {
      throw notReadable(`${name} has ${nNodes} nodes but leads to node ${node}`);
    }
    if (nodes.has(node)) throw notReadable(`${name} reaches node ${node} twice: it is no tree`);
    const read = nodeAt(node);
    if (!(read.cover >= 0 && read.cover < 2 ** 127))
      throw notReadable(`${name} has a cover of ${read.cover}`);
    if ('value' in read) requireFloat32(read.value, name);
    else waiting.push(read.left, read.right);
    nodes.set(node, read);
  }
  return nodes;
}

function requireFloat32(value: number, name: string): void {
  if (Number.isFinite(Math.fround(value))) return;
  throw notReadable(`${name} has a leaf of ${value}, which is no finite float32`);
}

function tooLarge(name: string) {
  return unsupported(
    'UNSUPPORTED_MODEL',
    `${name} treats zeros as missing in so many splits that the model would have more than ${MAX_NODES_WITH_COPIES} nodes; train it without zero_as_missing`,
  );
}
