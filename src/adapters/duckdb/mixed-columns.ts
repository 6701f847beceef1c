import type { DuckDBConnection } from '@duckdb/node-api';
import { UnsupportedColumnError } from './refusals.ts';
import { identifier } from './sql-text.ts';

interface SourceColumn {
  readonly name: string;
  readonly duckdbType: string;
}

/**
 * Gives the columns of the table `source` whose values DuckDB found no common type for the type they have here:
 * dates with and without times are instants, and JSON's numbers, booleans and texts in one column are text, as in CSV.
 * @returns the columns with their types from now on
 * @throws {UnsupportedColumnError}
 */
export async function settleMixedColumns(
  connection: DuckDBConnection,
  columns: readonly SourceColumn[],
): Promise<SourceColumn[]> {
  const isFound = async (condition: string) =>
    (await connection.runAndReadAll(`SELECT 1 FROM source WHERE ${condition} LIMIT 1`)).currentRowCount > 0;
  const settled: SourceColumn[] = [];
  for (const { name, duckdbType } of columns) {
    const column = identifier(name);
    let type = duckdbType;
    if (duckdbType === 'JSON') {
      if (await isFound(`json_type(${column}) IN ('OBJECT', 'ARRAY')`))
        throw new UnsupportedColumnError(name, 'objects or lists');
      await connection.run(`ALTER TABLE source ALTER ${column} TYPE VARCHAR USING ${column} ->> '$'`);
      type = 'VARCHAR';
    } else if (duckdbType === 'VARCHAR') {
      const isDate = `regexp_full_match(${column}, '\\d{4}-\\d{2}-\\d{2}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?') AND TRY_CAST(${column} AS TIMESTAMPTZ) IS NOT NULL`;
      const isDates =
        (await isFound(`${column} IS NOT NULL`)) &&
        !(await isFound(`${column} IS NOT NULL AND NOT (${isDate})`));
      if (isDates) {
        await connection.run(
          `ALTER TABLE source ALTER ${column} TYPE TIMESTAMPTZ USING CAST(${column} AS TIMESTAMPTZ)`,
        );
        type = 'TIMESTAMP WITH TIME ZONE';
      }
    }
    settled.push({ name, duckdbType: type });
  }
  return settled;
}
