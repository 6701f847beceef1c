import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDbBatchEngine } from '../../src/adapters/duckdb/duckdb-batch-engine.ts';
import { DuckDbEngine } from '../../src/adapters/duckdb/duckdb-engine.ts';
import type { FeatureSpec } from '../../src/contracts/models.ts';
import { Random } from '../../src/ml/random.ts';
import type { BatchEngine, SourceRows } from '../../src/serving/batch/batch-engine.ts';
import { convertRows } from '../../src/serving/batch/convert-rows.ts';
import type { ResultShape, ScoredRows } from '../../src/serving/batch/scored-rows.ts';
import { batchOfRows, inputData } from '../../src/serving/input-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-batch-engine-'));
const file = (name: string) => join(folder, name);
let engine: BatchEngine;

beforeAll(async () => {
  // Dates must not depend on where the machine stands.
  process.env.TZ = 'America/New_York';
  engine = await DuckDbBatchEngine.open(folder, { memoryMiB: 512, threads: 2 });
});
afterAll(() => {
  engine?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes a dataset's file of rows, as ingest does. */
async function datasetOf(rows: readonly object[], name: string): Promise<string> {
  writeFileSync(file('source'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const ingest = await DuckDbEngine.open(folder, { memoryMiB: 512, threads: 2 });
  await ingest.convertToParquet(file('source'), { format: 'jsonl', compression: 'none' }, file(name));
  ingest.close();
  return file(name);
}

async function parquetRows(parquetFile: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const read = await connection.runAndReadAll(`SELECT * FROM read_parquet('${parquetFile}')`);
  const rows = read.getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

async function* once(...scored: ScoredRows[]): AsyncIterable<ScoredRows> {
  yield* scored;
}

/** Predicts the number of the row, and fails every tenth. */
function numbered({ from, count }: SourceRows['range'], rowsAtOnce = count): ScoredRows[] {
  const of = (i: number) => ((from + i) % 10 === 9 ? null : from + i);
  const chunks: ScoredRows[] = [];
  for (let start = 0; start < count; start += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, count - start) }, (_, i) => start + i);
    chunks.push({
      nRows: rows.length,
      prediction: rows.map(of),
      confidence: rows.map((i) => (of(i) === null ? null : 0.1)),
      probabilities: rows.map((i) => (of(i) === null ? null : [0.1, 0.9])),
      errors: rows.map((i) => (of(i) === null ? 'x must be a number, got "a,b"' : null)),
    });
  }
  return chunks;
}
const numbers: ResultShape = { prediction: 'number', confidence: true, probabilities: true };

describe('tables of a range', () => {
  // More rows than a row group of Parquet has, so that threads read several at once.
  const nRows = 300_000;
  let parquetFile: string;
  beforeAll(async () => {
    parquetFile = file('many.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT range AS id, 'c' || range AS text FROM range(${nRows})) TO '${parquetFile}' (FORMAT parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
  });

  it('hold its rows in file order, each once, whatever their size', async () => {
    for (const [from, count, rowsAtOnce] of [
      [0, nRows, 70_000],
      [122_000, 10_001, 5_000],
      [299_990, 10, 3],
    ] as const) {
      let next = from;
      const sizes: number[] = [];
      for await (const { nRows: size, columns } of engine.tables(
        { parquetFile, range: { from, count } },
        ['text', 'id'],
        rowsAtOnce,
      )) {
        sizes.push(size);
        const [id, text] = [columns[0]!, columns[1]!];
        if (id.type !== 'number' || text.type !== 'category') throw new Error('not as the file has them');
        const expected = Float64Array.from({ length: size }, (_, i) => next + i);
        expect(id.values).toEqual(expected);
        // The text belongs to the number beside it.
        for (const i of [0, size - 1]) expect(text.categories[text.codes[i]!]).toBe(`c${next + i}`);
        next += size;
      }
      expect(next).toBe(from + count);
      expect(Math.max(...sizes)).toBe(Math.min(rowsAtOnce, count));
    }
  });

  it('are written beside the right rows, and joined in their order', async () => {
    const ranges = [
      { from: 0, count: 130_000 },
      { from: 130_000, count: 130_000 },
      { from: 260_000, count: 40_000 },
    ];
    for (const range of ranges) {
      await engine.writePart(
        { parquetFile, range },
        ['id'],
        numbers,
        once(...numbered(range, 9_999)),
        file(`part-${range.from}.parquet`),
      );
    }
    const parts = ranges.map(({ from }) => file(`part-${from}.parquet`));
    const counted = await engine.assemble(parts, 'csv', file('result.csv'));
    expect(counted).toEqual({ nRows, nFailedRows: nRows / 10 });
    const rows = parseCsv(readFileSync(file('result.csv')), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(nRows);
    const wrong = rows.findIndex(
      ({ id, prediction }, i) => id !== String(i) || prediction !== (i % 10 === 9 ? '' : `${i}.0`),
    );
    expect(wrong).toBe(-1);
    expect(rows[8]).toEqual({
      ...{ id: '8', prediction: '8.0', confidence: '0.1' },
      ...{ probabilities: '[0.1,0.9]', prediction_error: '' },
    });
    expect(rows[9]).toEqual({
      ...{ id: '9', prediction: '', confidence: '', probabilities: '' },
      prediction_error: 'x must be a number, got "a,b"',
    });
  });
});

describe('a part', () => {
  const rows = [
    { 'odd "name"': 'é', file_row_number: 7, day: '2026-01-31', flag: true },
    { 'odd "name"': 'b', file_row_number: 6, day: '2026-02-01', flag: null },
  ];
  const range = { from: 0, count: 2 };

  it('copies columns as the dataset has them, whatever their names', async () => {
    const parquetFile = await datasetOf(rows, 'odd.parquet');
    const shape: ResultShape = { prediction: 'text', confidence: false, probabilities: false };
    const scored = { nRows: 2, prediction: ['yes', null], errors: [null, 'why'] };
    await engine.writePart({ parquetFile, range }, 'all', shape, once(scored), file('odd-part.parquet'));
    expect(await engine.assemble([file('odd-part.parquet')], 'parquet', file('odd-result'))).toEqual({
      ...{ nRows: 2, nFailedRows: 1 },
    });
    expect(await parquetRows(file('odd-result'))).toEqual([
      {
        ...{ 'odd "name"': 'é', file_row_number: '7', day: '2026-01-31', flag: true },
        ...{ prediction: 'yes', prediction_error: null },
      },
      {
        ...{ 'odd "name"': 'b', file_row_number: '6', day: '2026-02-01', flag: null },
        ...{ prediction: null, prediction_error: 'why' },
      },
    ]);
  });

  it('holds predictions of their own type', async () => {
    const parquetFile = await datasetOf(rows, 'odd.parquet');
    const shape: ResultShape = { prediction: 'boolean', confidence: false, probabilities: false };
    const scored = { nRows: 2, prediction: [true, false], errors: [null, null] };
    await engine.writePart({ parquetFile, range }, [], shape, once(scored), file('bool.parquet'));
    expect(await parquetRows(file('bool.parquet'))).toEqual([
      { prediction: true, prediction_error: null },
      { prediction: false, prediction_error: null },
    ]);
  });

  it('is of the last part only: nothing of one before is left in it', async () => {
    const parquetFile = await datasetOf(rows, 'odd.parquet');
    for (let i = 0; i < 2; i++) {
      await engine.writePart({ parquetFile, range }, [], numbers, once(...numbered(range)), file('again'));
      expect(await parquetRows(file('again'))).toHaveLength(2);
    }
  });
});

describe('rows of a dataset', () => {
  it('become the batch that the same rows are online, bit for bit', async () => {
    const features: FeatureSpec[] = (
      [
        ['amount', 'number'],
        ['seats', 'number'],
        ['is_new', 'boolean'],
        ['opened', 'date'],
        ['city', 'category'],
        ['code', 'category'],
        ['at', 'date'],
        ['marked', 'boolean'],
      ] as const
    ).map(([name, type]) => ({ name, type, input: name }));
    const random = new Random(11);
    const some = <Value>(value: Value) => (random.nextInt(8) === 0 ? null : value);
    const pick = <Value>(values: readonly Value[]) => some(values[random.nextInt(values.length)]!);
    const rows = Array.from({ length: 5_000 }, () => ({
      amount: some((random.nextFloat() - 0.5) * 10 ** random.nextInt(30)),
      seats: some(random.nextInt(2 ** 31)),
      is_new: pick([true, false]),
      opened: pick([
        '2026-01-31T12:00:00Z',
        '1969-07-20T20:17:40.123Z',
        '2026-03-29T02:30:00+02:00',
        '2026-01-31',
      ]),
      city: pick(['Köln', ' padded ', 'NA', '日本', 'a"b', "o'clock"]),
      // Types that the dataset has for columns of another type in the model.
      code: pick([80, 1.5, -7, 1e15]),
      at: some(random.nextInt(2 ** 31) * 1_000),
      marked: pick([0, 1]),
    }));
    const parquetFile = await datasetOf(rows, 'same.parquet');
    const names = features.map(({ name }) => name);
    let from = 0;
    for await (const table of engine.tables({ parquetFile, range: { from: 0, count: 5_000 } }, names, 700)) {
      const { batch, failures } = convertRows(features, table);
      const online = batchOfRows(features, rows.slice(from, from + table.nRows), inputData(true));
      expect([...failures]).toEqual([]);
      expect(batch).toEqual(online);
      from += table.nRows;
    }
    expect(from).toBe(5_000);
  });
});
