/** How the rows of a batch prediction are divided between functions. */

/** Enough that a part is worth its function call, and few enough that many work at once on most data. */
export const defaultRowsPerPart = 50_000;
/** Each item of a Map takes about 10 of the 25,000 events that an execution may have. */
export const maxParts = 500;

export interface RowRange {
  /** Counted from 0. */
  readonly from: number;
  readonly count: number;
}

export interface PartPlan {
  readonly n_rows: number;
  readonly rows_per_part: number;
}

/** @returns parts of equal size, the last one perhaps smaller; larger ones when there would be too many */
export function planParts(nRows: number, rowsPerPart = defaultRowsPerPart): PartPlan {
  return { n_rows: nRows, rows_per_part: Math.max(1, rowsPerPart, Math.ceil(nRows / maxParts)) };
}

export const nParts = ({ n_rows, rows_per_part }: PartPlan): number => Math.ceil(n_rows / rows_per_part);

/** @returns the rows of a part, by its number */
export function rangeOf({ n_rows, rows_per_part }: PartPlan, part: number): RowRange {
  const from = part * rows_per_part;
  return { from, count: Math.max(0, Math.min(rows_per_part, n_rows - from)) };
}

export const rowsDone = (plan: PartPlan, partsDone: readonly number[]): number =>
  partsDone.reduce((sum, part) => sum + rangeOf(plan, part).count, 0);
