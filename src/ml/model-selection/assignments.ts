/** Which fold tests which row: one number per row. */
import { TrainingError } from '../../errors.ts';
import type { Random } from '../random.ts';

/** Fold sizes differ by one row at most. */
export function randomAssignment(nRows: number, nSplits: number, random: Random): Int32Array {
  const order = random.shuffle(Int32Array.from({ length: nRows }, (_, row) => row));
  const assignment = new Int32Array(nRows);
  order.forEach((row, i) => {
    assignment[row] = i % nSplits;
  });
  return assignment;
}

/** Fold sizes and the rows of each class in them differ by one at most: all rows are dealt out, class after class. */
export function stratifiedAssignment(classes: Int32Array, nSplits: number, random: Random): Int32Array {
  const assignment = new Int32Array(classes.length);
  let dealt = 0;
  for (const rows of rowsByKey(classes)) {
    for (const row of random.shuffle(Int32Array.from(rows))) assignment[row] = dealt++ % nSplits;
  }
  return assignment;
}

/** The largest group first, each to the fold with the fewest rows; groups of one size in random order. */
export function groupAssignment(groups: Int32Array, nSplits: number, random: Random): Int32Array {
  const assignment = new Int32Array(groups.length);
  const sizes = new Float64Array(nSplits);
  for (const rows of shuffledGroups(groups, nSplits, random)) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold]! += rows.length;
    for (const row of rows) assignment[row] = fold;
  }
  return assignment;
}

/**
 * The largest group first, each to the fold where the shares of the classes then differ least between folds, of equals
 * to the one with the fewest rows. O(groups · folds² · classes).
 */
export function stratifiedGroupAssignment(
  groups: Int32Array,
  classes: Int32Array,
  nSplits: number,
  random: Random,
): Int32Array {
  const classNumber = new Map([...new Set(classes)].map((key, number) => [key, number]));
  const nClasses = classNumber.size;
  const totals = new Float64Array(nClasses);
  for (const key of classes) totals[classNumber.get(key)!]!++;
  const shares = Array.from({ length: nSplits }, () => new Float64Array(nClasses));
  const sizes = new Float64Array(nSplits);
  const assignment = new Int32Array(groups.length);
  for (const rows of shuffledGroups(groups, nSplits, random)) {
    const added = new Float64Array(nClasses);
    for (const row of rows) {
      const number = classNumber.get(classes[row]!)!;
      added[number]! += 1 / totals[number]!;
    }
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let fold = 0; fold < nSplits; fold++) {
      const spread = spreadWith(shares, fold, added);
      if (spread < least - 1e-12 || (spread <= least + 1e-12 && sizes[fold]! < sizes[best]!)) {
        best = fold;
        least = Math.min(least, spread);
      }
    }
    added.forEach((share, number) => {
      shares[best]![number]! += share;
    });
    sizes[best]! += rows.length;
    for (const row of rows) assignment[row] = best;
  }
  return assignment;
}

/** Sum over classes of the variance between folds, once the group has come to the fold. */
function spreadWith(shares: readonly Float64Array[], fold: number, added: Float64Array): number {
  let spread = 0;
  for (let number = 0; number < added.length; number++) {
    let sum = 0;
    let squares = 0;
    for (let other = 0; other < shares.length; other++) {
      const share = shares[other]![number]! + (other === fold ? added[number]! : 0);
      sum += share;
      squares += share * share;
    }
    spread += squares / shares.length - (sum / shares.length) ** 2;
  }
  return spread;
}

function shuffledGroups(groups: Int32Array, nSplits: number, random: Random): number[][] {
  const members = rowsByKey(groups);
  if (members.length < nSplits) {
    throw new TrainingError(
      'TOO_FEW_GROUPS',
      `n_groups=${members.length} must be >= n_splits=${nSplits}, so that every test part has a group; lower n_splits or choose another group column`,
      { evidence: { n_groups: members.length, n_splits: nSplits } },
    );
  }
  const order = random.shuffle(Int32Array.from(members.keys()));
  return Array.from(order, (position) => members[position]!).sort((a, b) => b.length - a.length);
}

/** Rows of each key, keys ascending. */
function rowsByKey(keys: Int32Array): number[][] {
  const byKey = new Map<number, number[]>();
  keys.forEach((key, row) => {
    const rows = byKey.get(key);
    if (rows === undefined) byKey.set(key, [row]);
    else rows.push(row);
  });
  return [...byKey.entries()].sort(([a], [b]) => a - b).map(([, rows]) => rows);
}
