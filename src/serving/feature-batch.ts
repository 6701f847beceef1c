import type { FeatureSpec } from '../contracts/models.ts';
import type { Table } from '../ml/table.ts';

/** The values of one feature for every row of a batch, as the graph takes them; `input` names the graph's input. */
export type FeatureValues =
  /** number and boolean; NaN is missing */
  | { readonly input: string; readonly kind: 'float32'; readonly data: Float32Array }
  /** date, epoch milliseconds; the smallest int64 is missing */
  | { readonly input: string; readonly kind: 'int64'; readonly data: BigInt64Array }
  /** category; the empty string is missing */
  | { readonly input: string; readonly kind: 'string'; readonly data: string[] };

/** Rows by columns, ready for a graph: one entry a feature, in the order of the signature. */
export interface FeatureBatch {
  readonly nRows: number;
  readonly features: readonly FeatureValues[];
}

export const missingInt64 = -(2n ** 63n);

/** @returns an empty batch of the signature; every value is missing */
export function emptyBatch(features: readonly FeatureSpec[], nRows: number): FeatureBatch {
  return {
    nRows,
    features: features.map(({ input, type }) => {
      if (type === 'category') return { input, kind: 'string', data: new Array<string>(nRows).fill('') };
      if (type === 'date') return { input, kind: 'int64', data: new BigInt64Array(nRows).fill(missingInt64) };
      return { input, kind: 'float32', data: new Float32Array(nRows).fill(Number.NaN) };
    }),
  };
}

/** @returns the rows of a table as a graph takes them; a column that the table lacks is missing */
export function batchOfTable(features: readonly FeatureSpec[], table: Table): FeatureBatch {
  const batch = emptyBatch(features, table.nRows);
  for (const [j, values] of batch.features.entries()) {
    const column = table.columns.find(({ name }) => name === features[j]!.name);
    if (column === undefined) continue;
    for (let i = 0; i < table.nRows; i++) {
      if (column.type === 'category') {
        const code = column.codes[i]!;
        if (values.kind === 'string' && code >= 0) values.data[i] = column.categories[code]!;
        continue;
      }
      const value = column.values[i]!;
      if (Number.isNaN(value)) continue;
      if (values.kind === 'float32') values.data[i] = value;
      else if (values.kind === 'int64') values.data[i] = BigInt(Math.round(value));
    }
  }
  return batch;
}

/**
 * The same rows for another version of a model, whose features may have another order, or be others: what it has beside
 * those of the batch is missing.
 * @throws Error when a feature of one name is of two types
 */
export function sameRows(
  from: readonly FeatureSpec[],
  batch: FeatureBatch,
  to: readonly FeatureSpec[],
): FeatureBatch {
  const isSame =
    from.length === to.length &&
    to.every(({ name, type, input }, j) => {
      const other = from[j]!;
      return other.name === name && other.type === type && other.input === input;
    });
  if (isSame) return batch;
  const other = emptyBatch(to, batch.nRows);
  return {
    nRows: batch.nRows,
    features: other.features.map((missing, j) => {
      const { name, type, input } = to[j]!;
      const source = from.findIndex((feature) => feature.name === name);
      if (source < 0) return missing;
      if (from[source]!.type !== type) throw new Error(`${name} is ${from[source]!.type} and ${type}`);
      return { ...batch.features[source]!, input };
    }),
  };
}

export function isMissing(values: FeatureValues, row: number): boolean {
  if (values.kind === 'string') return values.data[row] === '';
  if (values.kind === 'int64') return values.data[row] === missingInt64;
  return Number.isNaN(values.data[row]);
}
