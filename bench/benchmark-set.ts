/** The data sets of the benchmarks, split and kept in a folder as plain typed arrays that any process loads at once. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '../src/adapters/duckdb/duckdb-engine.ts';
import { type Column, columnNamed, type Table } from '../src/ml/table.ts';
import { writePeerFiles } from './peer-encoding.ts';
import type { BenchmarkSet } from './set-description.ts';
import { synthTable } from './synth.ts';
import { writeTable } from './table-file.ts';

export type { BenchmarkSet } from './set-description.ts';

export const benchmarkSets: readonly BenchmarkSet[] = [
  { name: 'adult', task: 'classification', target: 'income', file: 'adult.csv' },
  {
    name: 'census',
    task: 'classification',
    target: 'label',
    file: 'census.parquet',
    dropped: ['Unnamed: 0'],
  },
  {
    name: 'housing',
    task: 'regression',
    target: 'median_house_value',
    file: 'housing.csv',
    targetUnit: 1e5,
  },
  { name: 'synth', task: 'classification', target: 'target' },
  { name: 'synth7', task: 'classification', target: 'target' },
];

/** Changes when what is kept changes. */
const KEPT_FORMAT = 1;

/**
 * The folder with `table.bin` and the peers' files; made on the first call.
 * @throws Error that names the missing file.
 */
export async function preparedFolder(set: BenchmarkSet, dataFolder: string): Promise<string> {
  const source = set.file === undefined ? undefined : join(dataFolder, set.file);
  if (source !== undefined && !existsSync(source)) throw new Error(`${source} does not exist`);
  const facts = source === undefined ? [] : [statSync(source).size, statSync(source).mtimeMs];
  const key = createHash('sha256')
    .update(JSON.stringify([KEPT_FORMAT, set, facts]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(tmpdir(), 'tenantml-bench', `${set.name}-${key}`);
  if (existsSync(join(folder, 'done'))) return folder;
  mkdirSync(folder, { recursive: true });
  const table =
    source === undefined ? synthTable(set.name === 'synth7' ? 7 : 2) : trimmed(await readSource(source), set);
  writeTable(join(folder, 'table.bin'), table);
  writePeerFiles(folder, table, set);
  writeFileSync(join(folder, 'done'), '');
  return folder;
}

async function readSource(file: string): Promise<Table> {
  // The engine reads inside its own folder only.
  const folder = mkdtempSync(join(tmpdir(), 'tenantml-bench-'));
  const engine = await DuckDbEngine.open(folder, { memoryMiB: 2048, threads: 2 });
  try {
    const local = join(folder, 'source');
    const parquet = join(folder, 'table.parquet');
    copyFileSync(file, local);
    const format = file.endsWith('.parquet') ? 'parquet' : 'csv';
    const compression = file.endsWith('.gz') ? 'gzip' : 'none';
    await engine.convertToParquet(local, { format, compression }, parquet);
    return await engine.readTable(parquet);
  } finally {
    engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function trimmed(table: Table, { dropped = [], target, targetUnit = 1 }: BenchmarkSet): Table {
  const columns = table.columns
    .filter((column) => !dropped.includes(column.name))
    .map((column) => (column.type === 'category' ? withMissing(column) : column))
    .map((column) =>
      column.name === target && column.type === 'number'
        ? { ...column, values: column.values.map((value) => value / targetUnit) }
        : column,
    );
  if (columnNamed({ nRows: table.nRows, columns }, target) === undefined)
    throw new Error(`no column ${target}`);
  return { nRows: table.nRows, columns };
}

/** Parquet keeps such texts as they are; for ours and the peers they are missing. */
const missing = new Set(['?', '', 'nan']);

function withMissing(column: Column & { type: 'category' }): Column {
  const categories = column.categories.filter((category) => !missing.has(category));
  const codeOf = new Map(categories.map((category, code) => [category, code]));
  const translation = column.categories.map((category) => codeOf.get(category) ?? -1);
  return { ...column, categories, codes: column.codes.map((code) => (code < 0 ? -1 : translation[code]!)) };
}

/** Row i is test when i % 5 is 4. */
export function trainAndTestRows(nRows: number): { train: Int32Array; test: Int32Array } {
  const rows = Int32Array.from({ length: nRows }, (_, row) => row);
  return { train: rows.filter((row) => row % 5 !== 4), test: rows.filter((row) => row % 5 === 4) };
}
