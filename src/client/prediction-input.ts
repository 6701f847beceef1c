import { maxPredictBytes, maxPredictRows } from '../contracts/prediction.ts';
import { ValidationError } from '../errors.ts';
import { type Cell, cellOf, rowsOf, type TableInput } from './rows.ts';

/** One row: a record by feature name (what is left out is missing), or values in the order of the model's features. */
export type RowInput = Readonly<Record<string, Cell>> | ArrayLike<Cell>;
/** Many rows: a list of them, or columns. */
export type RowsInput = readonly RowInput[] | Readonly<Record<string, ArrayLike<Cell>>>;

type WireCell = string | number | boolean | null;
export type WireRow = Record<string, WireCell> | WireCell[];

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Date);

/** Whether the input is many rows: a list of lists or records, or columns. */
export function isManyRows(input: RowInput | RowsInput): input is RowsInput {
  if (isList(input)) return input.length > 0 && (isList(input[0]) || isRecord(input[0]));
  return isRecord(input) && Object.values(input).some(isList);
}

/** @throws {ValidationError} when it is no row, or a value cannot be sent */
export function wireRow(row: unknown, i = 0): WireRow {
  if (isList(row)) return Array.from(row, (value, at) => cellOf(value, `value ${at}`, i));
  if (isRecord(row))
    return Object.fromEntries(
      Object.entries(row)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, cellOf(value, name, i)]),
    );
  throw new ValidationError(
    `row ${i} must be a record by feature name, or a list of values in the order of the features`,
  );
}

/** @returns rows as they came, of columns too @throws {ValidationError} when columns are none */
export const rowList = (input: RowsInput): readonly unknown[] =>
  isList(input) ? Array.from(input) : rowsOf(input as TableInput);

/** Room for what is around the rows of a body. */
const envelopeBytes = 1_024;

/** Rows of one call, with their places among all rows. */
export interface Chunk {
  readonly places: number[];
  readonly rows: WireRow[];
}

/** As few calls as the limits of one allow. A row that is too large for any goes alone, and is refused there. */
export function chunksOf(
  rows: Iterable<readonly [place: number, row: WireRow]>,
  { maxRows = maxPredictRows, maxBytes = maxPredictBytes - envelopeBytes } = {},
): Chunk[] {
  const chunks: Chunk[] = [];
  let bytes = 0;
  for (const [place, row] of rows) {
    const rowBytes = Buffer.byteLength(JSON.stringify(row)) + 1;
    const last = chunks.at(-1);
    if (last === undefined || last.rows.length >= maxRows || bytes + rowBytes > maxBytes) {
      chunks.push({ places: [place], rows: [row] });
      bytes = rowBytes;
    } else {
      last.places.push(place);
      last.rows.push(row);
      bytes += rowBytes;
    }
  }
  return chunks;
}
