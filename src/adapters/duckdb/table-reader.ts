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

/**
 * Reads a Parquet file of ours into columns of typed arrays.
 * Numbers and booleans become float64, dates epoch milliseconds, NaN where missing; text becomes codes into
 * its sorted distinct values, -1 where missing.
 */
export async function tableFrom(
  connection: DuckDBConnection,
  parquetFile: string,
  wanted?: readonly string[],
): Promise<Table> {
  const source = `read_parquet(${literal(parquetFile)})`;
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)).getRowObjectsJS();
  const columns = described
    .map((row) => ({ name: String(row.column_name), type: columnTypeOf(String(row.column_type))! }))
    .filter(({ name }) => wanted === undefined || wanted.includes(name));
  const nRows = Number(
    (await connection.runAndReadAll(`SELECT count(*) AS n FROM ${source}`)).getRowObjectsJS()[0]!.n,
  );
  const fillings: Filling[] = columns.map(({ name, type }) =>
    type === 'category'
      ? { name, type, codes: new Int32Array(nRows), codeOf: new Map() }
      : { name, type, numbers: new Float64Array(nRows) },
  );
  const list = columns.map(({ name, type }) => {
    const column = identifier(name);
    if (type === 'category') return column;
    // coalesce: a NULL is NaN, so that the vector's bytes can be copied as they are.
    const value = type === 'date' ? `epoch_ms(CAST(${column} AS TIMESTAMP))` : column;
    return `coalesce(CAST(${value} AS DOUBLE), 'NaN'::DOUBLE)`;
  });
  if (columns.length > 0) {
    const result = await connection.stream(`SELECT ${list.join(', ')} FROM ${source}`);
    let row = 0;
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      for (const [i, filling] of fillings.entries()) {
        if (filling.numbers !== undefined) {
          const vector = chunk.getColumnVector(i);
          for (let k = 0; k < chunk.rowCount; k++) filling.numbers[row + k] = vector.getItem(k) as number;
        } else fillCodes(filling, chunk.getColumnValues(i), row);
      }
      row += chunk.rowCount;
    }
  }
  return { nRows, columns: fillings.map(finished) };
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
