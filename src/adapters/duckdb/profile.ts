import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetColumn } from '../../contracts/datasets.ts';
import type { Profile } from '../../data/tabular-engine.ts';
import { identifier } from './sql-text.ts';

/** How many of the most frequent categories a profile lists. */
const topCount = 10;
/** Up to this many rows, distinct values are counted; above, estimated. */
const exactDistinctRows = 1_000_000;

/** Columns of one query: each distinct count keeps megabytes of its own, so that hundreds at once fill the memory. */
const columnsAtOnce = 25;

type TypedColumn = Pick<DatasetColumn, 'name' | 'type'>;

function aggregates({ name, type }: TypedColumn, i: number, exact: boolean): string {
  const column = identifier(name);
  const distinct = exact ? `count(DISTINCT ${column})` : `approx_count_distinct(${column})`;
  const common = [`count(${column}) AS filled_${i}`, `${distinct} AS distinct_${i}`];
  if (type === 'number') {
    const value = `CAST(${column} AS DOUBLE)`;
    const finite = `FILTER (isfinite(${value}))`;
    return [
      ...common,
      `min(${value}) AS min_${i}`,
      `max(${value}) AS max_${i}`,
      `avg(${value}) ${finite} AS mean_${i}`,
      // Squares of more than that overflow, which DuckDB answers with an error.
      `CASE WHEN max(abs(${value})) ${finite} < 1e150 THEN stddev_samp(${value}) FILTER (abs(${value}) < 1e150) END AS std_${i}`,
    ].join(', ');
  }
  if (type === 'date') {
    const text = (fn: string) => `strftime(${fn}(CAST(${column} AS TIMESTAMP)), '%Y-%m-%dT%H:%M:%S.%gZ')`;
    return [...common, `${text('min')} AS min_${i}`, `${text('max')} AS max_${i}`].join(', ');
  }
  if (type === 'boolean') return [...common, `avg(CAST(${column} AS INTEGER)) AS mean_${i}`].join(', ');
  return common.join(', ');
}

const finiteOrAbsent = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** @returns row count and the profile of each column of the table `source` */
export async function profileOf(
  connection: DuckDBConnection,
  columns: readonly TypedColumn[],
): Promise<Profile> {
  const counted = await connection.runAndReadAll('SELECT count(*) AS n FROM source');
  const nRows = Number(counted.getRowObjectsJS()[0]!.n);
  const exact = nRows <= exactDistinctRows;
  const facets = columns.map((column, i) => aggregates(column, i, exact));
  const facts: Record<string, unknown> = {};
  for (let from = 0; from < facets.length; from += columnsAtOnce) {
    const some = facets.slice(from, from + columnsAtOnce).join(', ');
    const result = await connection.runAndReadAll(`SELECT ${some} FROM source`);
    Object.assign(facts, result.getRowObjectsJS()[0]);
  }
  const profiled: DatasetColumn[] = [];
  for (const [i, { name, type }] of columns.entries()) {
    const bound = (key: 'min' | 'max') =>
      type === 'number'
        ? finiteOrAbsent(facts[`${key}_${i}`])
        : ((facts[`${key}_${i}`] as string | null | undefined) ?? undefined);
    const profile: Record<string, unknown> = {
      name,
      type,
      n_missing: nRows - Number(facts[`filled_${i}`]),
      n_distinct: Number(facts[`distinct_${i}`]),
      min: bound('min'),
      max: bound('max'),
      mean: finiteOrAbsent(facts[`mean_${i}`]),
      std: finiteOrAbsent(facts[`std_${i}`]),
      top: type === 'category' ? await topCategories(connection, name) : undefined,
    };
    profiled.push(
      Object.fromEntries(
        Object.entries(profile).filter(([, value]) => value !== undefined),
      ) as unknown as DatasetColumn,
    );
  }
  return { nRows, columns: profiled };
}

async function topCategories(connection: DuckDBConnection, name: string): Promise<DatasetColumn['top']> {
  const column = identifier(name);
  const rows = await connection.runAndReadAll(
    `SELECT left(CAST(${column} AS VARCHAR), 200) AS value, count(*) AS n FROM source WHERE ${column} IS NOT NULL ` +
      `GROUP BY ${column} ORDER BY n DESC, value LIMIT ${topCount}`,
  );
  return rows.getRowObjectsJS().map((row) => ({ value: String(row.value), count: Number(row.n) }));
}
