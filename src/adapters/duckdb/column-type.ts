import type { ColumnType } from '../../ml/table.ts';

/** @returns what a DuckDB type becomes as a column of a table; `undefined` when it cannot be one */
export function columnTypeOf(duckdbType: string): ColumnType | undefined {
  if (/^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w*INT\w*|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)$/.test(duckdbType))
    return 'number';
  if (duckdbType === 'BOOLEAN') return 'boolean';
  if (/^(DATE|TIMESTAMP.*)$/.test(duckdbType)) return 'date';
  if (/^(VARCHAR|UUID|TIME|TIME WITH TIME ZONE|ENUM.*)$/.test(duckdbType)) return 'category';
  return undefined;
}
