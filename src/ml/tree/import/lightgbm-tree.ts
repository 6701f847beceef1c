/** One tree of a LightGBM model. */
import type { TreeEnsembleBuilder } from '../tree.ts';
import { floorToFloat32, nextBelow } from './float32.ts';
import { addImportedTree, type ImportedNode } from './imported-tree.ts';
import { type Lines, lineOf, wordsOf } from './lightgbm-text.ts';
import { integerOf, notReadable, numberOf, unsupported } from './untrusted.ts';

/** LightGBM takes values up to here for zero; a float32. */
const ZERO_BAND = Math.fround(1e-35);
const MAX_LEAVES = 2 ** 24;
/** Words of 32 codes. */
const MAX_CODE = 2 ** 31 - 1;

/** What `decision_type` says in its bits. */
const IS_CATEGORY = 1;
const DEFAULT_LEFT = 2;
const MISSING_IS_ZERO = 1;
const MISSING_IS_NAN = 2;

/** A tree whose lines are read and of the right lengths. */
export interface LightgbmTree {
  readonly name: string;
  readonly nLeaves: number;
  readonly lines: Lines;
  readonly features: readonly number[];
  readonly thresholds: readonly string[];
  readonly decisions: readonly number[];
  /** First word of each category set in `setWords`, and one past the last. */
  readonly setStarts: readonly number[];
  readonly setWords: readonly number[];
}

export function readLightgbmTree(lines: Lines, nFeatures: number, name: string): LightgbmTree {
  const nLeaves = integerOf(lineOf(lines, 'num_leaves'), `${name}.num_leaves`, 1, MAX_LEAVES);
  if (lines.get('is_linear') === '1') {
    throw unsupported(
      'UNSUPPORTED_MODEL',
      `${name} has linear models in its leaves; train it without linear_tree`,
    );
  }
  const nSplits = nLeaves - 1;
  // A tree of one leaf leaves its lists out.
  const words = (what: string) => (nSplits === 0 ? [] : wordsOf(lines, what, nSplits));
  const integers = (what: string, maximum: number) =>
    words(what).map((word) => integerOf(word, `${name}.${what}`, 0, maximum));
  const nSets = integerOf(lines.get('num_cat') ?? 0, `${name}.num_cat`, 0, nSplits);
  const setWords = nSets === 0 ? [] : wordsOf(lines, 'cat_threshold').map((word) => uint32(word, name));
  const setStarts =
    nSets === 0
      ? [0]
      : wordsOf(lines, 'cat_boundaries', nSets + 1).map((word) =>
          integerOf(word, `${name}.cat_boundaries`, 0, setWords.length),
        );
  if (setStarts.some((start, i) => i > 0 && start < setStarts[i - 1]!)) {
    throw notReadable(`${name}.cat_boundaries go down`);
  }
  const thresholds = words('threshold');
  const decisions = integers('decision_type', 255);
  requireOwnSets(thresholds, decisions, name);
  return {
    name,
    nLeaves,
    lines,
    features: integers('split_feature', nFeatures - 1),
    thresholds,
    decisions,
    setStarts,
    setWords,
  };
}

/** Shared sets could make a short file large. */
function requireOwnSets(thresholds: readonly string[], decisions: readonly number[], name: string): void {
  const sets = thresholds.filter((_, split) => (decisions[split]! & IS_CATEGORY) !== 0);
  if (new Set(sets).size < sets.length) throw notReadable(`${name} has two splits on one set of categories`);
}

function uint32(word: string, name: string): number {
  return integerOf(word, `${name}.cat_threshold`, 0, 2 ** 32 - 1);
}

export function isCategorySplit({ decisions }: LightgbmTree, split: number): boolean {
  return (decisions[split]! & IS_CATEGORY) !== 0;
}

/** The codes that go left. */
export function codesOf({ thresholds, setStarts, setWords, name }: LightgbmTree, split: number): number[] {
  const set = integerOf(thresholds[split], `${name}.threshold`, 0, setStarts.length - 2);
  const codes: number[] = [];
  for (let word = setStarts[set]!; word < setStarts[set + 1]!; word++) {
    const first = 32 * (word - setStarts[set]!);
    if (first > MAX_CODE) throw notReadable(`${name} has a set of categories that is too large`);
    for (let bit = 0; bit < 32; bit++) if ((setWords[word]! >>> bit) & 1) codes.push(first + bit);
  }
  if (codes.length === 0) throw notReadable(`${name} splits on an empty set of categories`);
  return codes;
}

/**
 * @param scale - factor of all leaves
 * @param ourCode - of a feature's code, our own.
 */
export function addLightgbmTree(
  builder: TreeEnsembleBuilder,
  tree: LightgbmTree,
  scale: number,
  ourCode: (feature: number, code: number) => number,
): void {
  const { name, nLeaves, lines } = tree;
  const nSplits = nLeaves - 1;
  const values = wordsOf(lines, 'leaf_value', nLeaves);
  const numbers = (what: string, length: number) =>
    wordsOf(lines, what, length).map((word) => numberOf(word, `${name}.${what}`));
  const leafCovers = nSplits === 0 ? [0] : numbers('leaf_count', nLeaves);
  const covers = nSplits === 0 ? [] : numbers('internal_count', nSplits);
  const gains = nSplits === 0 ? [] : numbers('split_gain', nSplits);
  const [left, right] =
    nSplits === 0 ? [[], []] : [numbers('left_child', nSplits), numbers('right_child', nSplits)];
  // Splits first, then leaves, which are counted -1, -2, ... there.
  const numberOfNode = (child: number) => (child >= 0 ? child : nSplits - 1 - child);
  const nodeAt = (node: number): ImportedNode => {
    if (node >= nSplits) {
      const leaf = node - nSplits;
      return { value: scale * numberOf(values[leaf], `${name}.leaf_value`), cover: leafCovers[leaf]! };
    }
    const common = {
      feature: tree.features[node]!,
      left: numberOfNode(left[node]!),
      right: numberOfNode(right[node]!),
      gain: Math.max(0, gains[node]!),
      cover: covers[node]!,
    };
    if (isCategorySplit(tree, node)) {
      const codes = codesOf(tree, node).map((code) => ourCode(common.feature, code));
      return { ...common, test: bitsOf(codes), missingLeft: false };
    }
    return { ...common, ...numericTest(tree, node) };
  };
  addImportedTree(builder, nSplits + nLeaves, 0, nodeAt, name);
}

function numericTest({ thresholds, decisions, name }: LightgbmTree, split: number) {
  const threshold = numberOf(thresholds[split], `${name}.threshold`);
  const defaultLeft = (decisions[split]! & DEFAULT_LEFT) !== 0;
  const missing = (decisions[split]! >> 2) & 3;
  if (missing === MISSING_IS_ZERO) {
    return { test: floorToFloat32(threshold), missingLeft: defaultLeft, zeroBand: ZERO_BAND };
  }
  const test = thresholdWithZeros(threshold);
  // Where nothing was missing in training, NaN counts as 0.
  return { test, missingLeft: missing === MISSING_IS_NAN ? defaultLeft : threshold >= 0 };
}

/** Values of the zero band are 0 to LightGBM: all of them take the side of 0. */
function thresholdWithZeros(threshold: number): number {
  if (threshold >= 0) return Math.max(ZERO_BAND, floorToFloat32(threshold));
  return Math.min(nextBelow(-ZERO_BAND), floorToFloat32(threshold));
}

function bitsOf(codes: readonly number[]): Uint32Array {
  const largest = codes.reduce((most, code) => Math.max(most, code), -1);
  const words = new Uint32Array((largest >> 5) + 1);
  for (const code of codes) words[code >> 5]! |= 1 << (code & 31);
  return words;
}
