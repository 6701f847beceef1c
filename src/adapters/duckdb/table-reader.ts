import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column, Table } from '../../ml/table.ts';
import { columnTypeOf } from './column-type.ts';
import { identifier, literal } from './sql-text.ts';

/** A column while its chunks arrive. */
interface Filling {
  readonly name: string;
  readonly type: Column['type'];
  readonly numbers?: Float64Array;
  readonly codes?: Int32Array;
  readonly codeOf?: Map<string, number>;
}

interface TypedColumn {
  readonly name: string;
  readonly type: Column['type'];
}

/** Which rows of a file, and in how large tables. */
interface Reading {
  readonly columns?: readonly string[] | undefined;
  /** @default - all rows */
  readonly range?: { readonly from: number; readonly count: number };
  /** @default - one table of all of them */
  readonly rowsAtOnce?: number;
}

/**
 * Reads a Parquet file of ours into columns of typed arrays.
 * Numbers and booleans become float64, dates epoch milliseconds, NaN where missing; text becomes codes into
 * its sorted distinct values, -1 where missing.
 */
export async function tableFrom(
  connection: DuckDBConnection,
  parquetFile: string,
  columns?: readonly string[],
): Promise<Table> {
  let whole: Table = { nRows: 0, columns: [] };
  for await (const table of tablesFrom(connection, parquetFile, { columns })) whole = table;
  return whole;
}

/** The same in tables of so many rows and a smaller last one. Until all are read, the connection is taken. */
export async function* tablesFrom(
  connection: DuckDBConnection,
  parquetFile: string,
  { columns: wanted, range, rowsAtOnce = Number.POSITIVE_INFINITY }: Reading,
): AsyncGenerator<Table, void, undefined> {
  const source = `read_parquet(${literal(parquetFile)})`;
  const columns = await columnsOf(connection, source, wanted);
  let left = range?.count ?? (await countRows(connection, source));
  let nRows = Math.min(rowsAtOnce, left);
  if (columns.length === 0) {
    yield { nRows: left, columns: [] };
    return;
  }
  // Rows come in the order that they have in the file (preserve_insertion_order), so that a range is always the same.
  const limits = range === undefined ? '' : ` LIMIT ${range.count} OFFSET ${range.from}`;
  const result = await connection.stream(`SELECT ${columns.map(sqlOf).join(', ')} FROM ${source}${limits}`);
  let fillings = columns.map((column) => emptyFilling(column, nRows));
  let row = 0;
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (let taken = 0; taken < chunk.rowCount; ) {
      const count = Math.min(chunk.rowCount - taken, nRows - row);
      for (const [i, filling] of fillings.entries()) {
        if (filling.numbers !== undefined) {
          const vector = chunk.getColumnVector(i);
          for (let k = 0; k < count; k++) filling.numbers[row + k] = vector.getItem(taken + k) as number;
        } else fillCodes(filling, chunk.getColumnValues(i).slice(taken, taken + count), row);
      }
      taken += count;
      row += count;
      if (row < nRows) continue;
      yield { nRows, columns: fillings.map(finished) };
      left -= nRows;
      nRows = Math.min(rowsAtOnce, left);
      fillings = columns.map((column) => emptyFilling(column, nRows));
      row = 0;
    }
  }
}

async function columnsOf(
  connection: DuckDBConnection,
  source: string,
  wanted: readonly string[] | undefined,
): Promise<TypedColumn[]> {
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)).getRowObjectsJS();
  return described
    .map((row) => ({ name: String(row.column_name), type: columnTypeOf(String(row.column_type))! }))
    .filter(({ name }) => wanted === undefined || wanted.includes(name));
}

async function countRows(connection: DuckDBConnection, source: string): Promise<number> {
  const counted = await connection.runAndReadAll(`SELECT count(*) AS n FROM ${source}`);
  return Number(counted.getRowObjectsJS()[0]!.n);
}

function sqlOf({ name, type }: TypedColumn): string {
  const column = identifier(name);
  if (type === 'category') return column;
  // coalesce: a NULL is NaN, so that the vector's bytes can be copied as they are.
  const value = type === 'date' ? `epoch_ms(CAST(${column} AS TIMESTAMP))` : column;
  return `coalesce(CAST(${value} AS DOUBLE), 'NaN'::DOUBLE)`;
}

function emptyFilling({ name, type }: TypedColumn, nRows: number): Filling {
  return type === 'category'
    ? { name, type, codes: new Int32Array(nRows), codeOf: new Map() }
    : { name, type, numbers: new Float64Array(nRows) };
}

function fillCodes({ codes, codeOf }: Filling, values: readonly unknown[], row: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string | null;
    if (value === null) {
      codes![row + i] = -1;
      continue;
    }
    let code = codeOf!.get(value);
    if (code === undefined) {
      code = codeOf!.size;
      codeOf!.set(value, code);
    }
    codes![row + i] = code;
  }
}

function finished(filling: Filling): Column {
  if (filling.numbers !== undefined) {
    return {
      name: filling.name,
      type: filling.type as 'number' | 'boolean' | 'date',
      values: filling.numbers,
    };
  }
  const seen = [...filling.codeOf!.keys()];
  const categories = [...seen].sort();
  const rank = new Map(categories.map((category, code) => [category, code]));
  const codes = filling.codes!.map((code) => (code < 0 ? -1 : rank.get(seen[code]!)!));
  return { name: filling.name, type: 'category', codes, categories };
}
