/** Trees in the layout that is walked: two words a node, children side by side, each tree breadth first. */
import { type ListedTrees, Mode } from './listed-trees.ts';
import { NotSupported } from './not-supported.ts';
import { MAX_CODE, RankColumns, type RankedFeature } from './rank-columns.ts';

/**
 * A node is `meta` and `operand`. Bits of meta, from the lowest: 1 when it tests a set, 1 when it is no leaf, the column
 * tested, and how far behind the node its first child is. A row goes to the first child when its rank <= operand, or
 * when the bit of its code in the set that begins at word `operand` is 0; else to the second, which is next to it.
 * A leaf's meta is 0, and its operand is the bits of its float32 value or, with several values, its number in
 * `leafEntries`.
 */
export interface PackedTrees {
  readonly nTargets: number;
  readonly base: Float64Array;
  readonly roots: Int32Array;
  readonly meta: Int32Array;
  readonly operand: Int32Array;
  /** The operands as float32. */
  readonly leafValue: Float32Array;
  readonly columnBits: number;
  readonly setWords: Int32Array;
  /** Of trees whose leaves have one value each, all for the same target; `undefined` when there are others. */
  readonly targetOfTree: Int32Array | undefined;
  /** First entry of each leaf in the two lists below, and one past the last. */
  readonly leafEntries: Int32Array;
  readonly entryTarget: Int32Array;
  readonly entryWeight: Float32Array;
  readonly nColumns: number;
  readonly features: readonly RankedFeature[];
}

/** Below the column, and above the sign when it is shifted away. */
const FLAG_BITS = 2;

export function packTrees(listed: ListedTrees): PackedTrees {
  const { nTargets, base } = listed;
  const columns = new RankColumns();
  const tests = testsOf(listed, columns);
  columns.sortThresholds();
  const columnBits = Math.max(1, 32 - Math.clz32(Math.max(columns.count - 1, 1)));
  const nNodes = tests.order.length;
  const meta = new Int32Array(nNodes);
  const operand = new Int32Array(nNodes);
  const leafValue = new Float32Array(operand.buffer);
  const setWords: number[] = [];
  const targetOfTree = targetsOfTrees(listed);
  requireScores(listed, targetOfTree);
  const leafEntries: number[] = [0];
  const entryTarget: number[] = [];
  const entryWeight: number[] = [];
  for (let at = 0; at < nNodes; at++) {
    const node = tests.order[at]!;
    const column = tests.column[at]!;
    if (column < 0) {
      const first = listed.entryStarts[node]!;
      const next = listed.entryStarts[node + 1]!;
      if (targetOfTree !== undefined) leafValue[at] = listed.weight[first]!;
      else {
        operand[at] = leafEntries.length - 1;
        for (let i = first; i < next; i++) {
          entryTarget.push(listed.target[i]!);
          entryWeight.push(listed.weight[i]!);
        }
        leafEntries.push(entryTarget.length);
      }
      continue;
    }
    const distance = tests.firstChild[at]! - at;
    if (distance >= 2 ** (32 - FLAG_BITS - columnBits)) throw new NotSupported('a tree of too many nodes');
    const feature = listed.feature[node]!;
    const isSet = listed.mode[node] === Mode.equal;
    meta[at] = (distance << (FLAG_BITS + columnBits)) | (column << FLAG_BITS) | 2 | (isSet ? 1 : 0);
    if (isSet) {
      operand[at] = setWords.length;
      for (const word of setWordsOf(tests.sets.get(at)!, columns, feature)) setWords.push(word);
    } else operand[at] = columns.rankOf(feature, listed.value[node]!);
  }
  return {
    ...{ nTargets, base, meta, operand, leafValue, columnBits, targetOfTree },
    roots: Int32Array.from(tests.roots),
    setWords: setWords.length === 0 ? new Int32Array(1) : Int32Array.from(setWords),
    leafEntries: Int32Array.from(leafEntries),
    entryTarget: Int32Array.from(entryTarget),
    entryWeight: Float32Array.from(entryWeight),
    nColumns: columns.count,
    features: columns.plan(),
  };
}

/**
 * Runtimes differ where a row gets no score for a target that has a base value, and where a leaf has none or several for
 * the same target. The first cannot happen when a tree's every leaf has one for it.
 */
function requireScores(listed: ListedTrees, targetOfTree: Int32Array | undefined): void {
  const { nTargets, base, mode, entryStarts, target } = listed;
  const scored = new Set(targetOfTree);
  if (base.some((value, one) => value !== 0 && !scored.has(one)))
    throw new NotSupported('a base value of a target that a row may get no score for');
  if (targetOfTree !== undefined) return;
  for (let node = 0; node < mode.length; node++) {
    const next = entryStarts[node + 1]!;
    for (let i = entryStarts[node]! + 1; i < next; i++)
      if (target[i]! <= target[i - 1]!) throw new NotSupported('a leaf with targets out of order');
  }
  if (nTargets === 1) throw new NotSupported('a leaf without its one score');
}

/** Codes that go to the first child, and whether missing does. */
interface CodeSet {
  readonly codes: readonly number[];
  readonly hasMissing: boolean;
}

/** Bits of the codes that go to the second child. */
function setWordsOf({ codes, hasMissing }: CodeSet, columns: RankColumns, feature: number): number[] {
  const words = new Array<number>((columns.missingCode(feature) >> 5) + 1).fill(-1);
  const clear = (code: number) => {
    words[code >> 5]! &= ~(1 << (code & 31));
  };
  for (const code of codes) clear(code);
  if (hasMissing) clear(columns.missingCode(feature));
  return words;
}

interface Tests {
  /** Place in the lists of each node, in the order of the layout. */
  readonly order: Int32Array;
  readonly roots: readonly number[];
  /** -1 for a leaf. */
  readonly column: Int32Array;
  readonly firstChild: Int32Array;
  readonly sets: ReadonlyMap<number, CodeSet>;
}

/** Lays the trees out, chains of equalities as one test of a set. */
function testsOf(listed: ListedTrees, columns: RankColumns): Tests {
  const { trees, nFeatures, mode, feature, value, missingTracksTrue, yes, no } = listed;
  const nListed = mode.length;
  const order = new Int32Array(nListed);
  const column = new Int32Array(nListed);
  const firstChild = new Int32Array(nListed);
  const visited = new Uint8Array(nListed);
  const sets = new Map<number, CodeSet>();
  const roots: number[] = [];
  let count = 0;
  const place = (node: number) => {
    if (visited[node] === 1) throw new NotSupported('a tree whose branches meet');
    visited[node] = 1;
    order[count++] = node;
  };
  for (let tree = 0; tree + 1 < trees.length; tree++) {
    const root = count;
    roots.push(root);
    place(trees[tree]!);
    for (let at = root; at < count; at++) {
      const node = order[at]!;
      if (mode[node] === Mode.leaf) {
        column[at] = -1;
        continue;
      }
      const one = feature[node]!;
      const tracks = missingTracksTrue[node]!;
      if (!(one >= 0 && one < nFeatures) || tracks >>> 1 !== 0)
        throw new NotSupported('a test of no feature');
      let otherwise = no[node]!;
      if (mode[node] === Mode.equal) {
        const codes: number[] = [];
        let hasMissing = false;
        let link = node;
        for (;;) {
          const code = value[link]!;
          if (!(Number.isInteger(code) && code >= 0 && code <= MAX_CODE))
            throw new NotSupported('an equality with what is no category code');
          codes.push(code);
          columns.addCode(one, code);
          if (missingTracksTrue[link]! >>> 1 !== 0) throw new NotSupported('a test of no feature');
          hasMissing ||= missingTracksTrue[link] === 1;
          otherwise = no[link]!;
          const goesOn =
            mode[otherwise] === Mode.equal &&
            feature[otherwise] === one &&
            yes[otherwise] === yes[node] &&
            visited[otherwise] === 0;
          if (!goesOn) break;
          visited[otherwise] = 1;
          link = otherwise;
        }
        sets.set(at, { codes, hasMissing });
        column[at] = columns.column(one, 'code');
      } else {
        if (Number.isNaN(value[node])) throw new NotSupported('a threshold that is no number');
        columns.addThreshold(one, value[node]!);
        column[at] = columns.column(one, tracks === 1 ? 'low' : 'high');
      }
      firstChild[at] = count;
      place(yes[node]!);
      place(otherwise);
    }
  }
  return { order: order.subarray(0, count), roots, column, firstChild, sets };
}

/** The target of each tree, when every leaf has one value and all of a tree's are for the same. */
function targetsOfTrees({ trees, mode, entryStarts, target }: ListedTrees): Int32Array | undefined {
  const targets = new Int32Array(trees.length - 1).fill(-1);
  for (let tree = 0; tree + 1 < trees.length; tree++) {
    for (let node = trees[tree]!; node < trees[tree + 1]!; node++) {
      if (mode[node] !== Mode.leaf) continue;
      const first = entryStarts[node]!;
      if (entryStarts[node + 1] !== first + 1) return undefined;
      if (targets[tree] === -1) targets[tree] = target[first]!;
      else if (targets[tree] !== target[first]) return undefined;
    }
  }
  return targets;
}
