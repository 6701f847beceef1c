import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDbEngine } from '../../src/adapters/duckdb/duckdb-engine.ts';
import type { ParseOptions, Profile, TabularEngine } from '../../src/data/tabular-engine.ts';
import type { MLFrameworkError } from '../../src/errors.ts';
import type { Table } from '../../src/ml/table.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-engine-'));
const outside = mkdtempSync(join(tmpdir(), 'tenantml-outside-'));
const file = (name: string) => join(folder, name);
let engine: TabularEngine;

beforeAll(async () => {
  // Dates must not depend on where the machine stands.
  process.env.TZ = 'America/New_York';
  engine = await DuckDbEngine.open(folder, { memoryMiB: 512, threads: 2 });
});
afterAll(() => {
  engine?.close();
  for (const one of [folder, outside]) rmSync(one, { recursive: true, force: true });
});

const csv: ParseOptions = { format: 'csv', compression: 'none' };
const jsonl: ParseOptions = { format: 'jsonl', compression: 'none' };
const parquet: ParseOptions = { format: 'parquet', compression: 'none' };

async function read(source: string | Uint8Array, options = csv): Promise<{ profile: Profile; table: Table }> {
  writeFileSync(file('source'), source);
  const profile = await engine.convertToParquet(file('source'), options, file('data.parquet'));
  return { profile, table: await engine.readTable(file('data.parquet')) };
}

/** The values of each column, by name: null for missing. */
async function columnsOf(source: string | Uint8Array, options = csv): Promise<Record<string, unknown[]>> {
  const { table } = await read(source, options);
  return Object.fromEntries(
    table.columns.map((column) => [
      `${column.name}:${column.type}`,
      column.type === 'category'
        ? Array.from(column.codes, (code) => (code < 0 ? null : column.categories[code]))
        : Array.from(column.values, (value) => (Number.isNaN(value) ? null : value)),
    ]),
  );
}

async function refusal(source: string | Uint8Array, options = csv): Promise<MLFrameworkError> {
  const result = await read(source, options).then(
    () => undefined,
    (error: MLFrameworkError) => error,
  );
  if (result === undefined) throw new Error('the source was not refused');
  // Nothing of where the platform keeps its files or of the query it ran.
  expect(result.message + JSON.stringify(result.errors)).not.toMatch(/tenantml-engine|read_csv|SELECT/i);
  return result;
}

const ms = Date.parse;
const goodLines = (n: number) => Array.from({ length: n }, (_, i) => `${i},v${i}\n`).join('');

describe('TabularEngine: types of CSV', () => {
  it.each<[string, string, Record<string, unknown[]>]>([
    ['numbers', 'a,b\n1,1.5\n-2,1e3\n', { 'a:number': [1, -2], 'b:number': [1.5, 1000] }],
    ['booleans', 'a\ntrue\nFALSE\n', { 'a:boolean': [1, 0] }],
    ['dates', 'a\n2024-02-29\n0001-01-01\n', { 'a:date': [ms('2024-02-29'), ms('0001-01-01')] }],
    ['times without an offset as UTC', 'a\n2024-01-01 10:00:00\n', { 'a:date': [ms('2024-01-01T10:00Z')] }],
    [
      'times with an offset as instants',
      'a\n2024-01-01T10:00:00+02:00\n2024-01-01T10:00:00Z\n',
      { 'a:date': [ms('2024-01-01T08:00Z'), ms('2024-01-01T10:00Z')] },
    ],
    ['text', 'a,b\nx,1\ny,2\n', { 'a:category': ['x', 'y'], 'b:number': [1, 2] }],
    ['a mix of numbers and text as text', 'a\n1\nx\n', { 'a:category': ['1', 'x'] }],
    [
      'integers beyond 2^63 as float64',
      'a,b\n18446744073709551615,170141183460469231731687303715884105727\n1,2\n',
      { 'a:number': [2 ** 64, 1], 'b:number': [2 ** 127, 2] },
    ],
    [
      'an integer beyond 2^127',
      'a\n1000000000000000000000000000000000000000000000\n1\n',
      { 'a:number': [1e45, 1] },
    ],
    [
      'missing values of every spelling',
      'a,b,c\n1,x,?\n,NA,N/A\nnan,None,y\nNULL,null,n/a\n',
      {
        'a:number': [1, null, null, null],
        'b:category': ['x', null, null, null],
        'c:category': [null, null, 'y', null],
      },
    ],
    ['a column without a value', 'a,b\n,1\n,2\n', { 'a:category': [null, null], 'b:number': [1, 2] }],
    ['numbers with leading zeros as text', 'a\n007\n010\n', { 'a:category': ['007', '010'] }],
  ])('reads %s', async (_, source, expected) => {
    expect(await columnsOf(source)).toEqual(expected);
  });
});

describe('TabularEngine: forms of CSV', () => {
  it.each<[string, string | Uint8Array, Record<string, unknown[]>]>([
    ['a byte order mark', '\uFEFFa,b\n1,x\n', { 'a:number': [1], 'b:category': ['x'] }],
    ['CRLF', 'a,b\r\n1,x\r\n2,y\r\n', { 'a:number': [1, 2], 'b:category': ['x', 'y'] }],
    ['no newline at the end', 'a,b\n1,x', { 'a:number': [1], 'b:category': ['x'] }],
    [
      'quotes around separators, quotes and newlines',
      'a,b\n1,"x, ""y""\nz"\n2,"it\'s"\n',
      { 'a:number': [1, 2], 'b:category': ['x, "y"\nz', "it's"] },
    ],
    ['one column of numbers', 'a\n1\n2\n', { 'a:number': [1, 2] }],
    [
      'one column of text with spaces',
      'city\nNew York\nLos Angeles\n',
      { 'city:category': ['New York', 'Los Angeles'] },
    ],
    ['semicolons', 'a;b\n1;x\n2;y\n', { 'a:number': [1, 2], 'b:category': ['x', 'y'] }],
    ['tabs', 'a\tb\n1\tx\n', { 'a:number': [1], 'b:category': ['x'] }],
    ['pipes', 'a|b\n1|x\n', { 'a:number': [1], 'b:category': ['x'] }],
    [
      'unicode in names and values',
      'näme,"b c",it\'s\n1,🎫 東京,𝔘\n2,é,e\u0301\n',
      { 'näme:number': [1, 2], 'b c:category': ['🎫 東京', 'é'], "it's:category": ['𝔘', 'e\u0301'] },
    ],
    ['a quote in a name', '"a""b",c\n1,2\n', { 'a"b:number': [1], 'c:number': [2] }],
    ['empty names', 'a,,\n1,2,3\n', { 'a:number': [1], 'column1:number': [2], 'column2:number': [3] }],
    ['a header below an empty line', '\n\na,b\n1,x\n', { 'a:number': [1], 'b:category': ['x'] }],
    ['numbers as names', '1,2\n3,4\n5,6\n', { '1:number': [3, 5], '2:number': [4, 6] }],
    ['an empty line', 'a,b\n1,x\n\n2,y\n', { 'a:number': [1, 2], 'b:category': ['x', 'y'] }],
  ])('reads %s', async (_, source, expected) => {
    expect(await columnsOf(source)).toEqual(expected);
  });

  it('reads gzip', async () => {
    const gz = { ...csv, compression: 'gzip' as const };
    expect(await columnsOf(gzipSync('a,b\n1,x\n'), gz)).toEqual({ 'a:number': [1], 'b:category': ['x'] });
  });

  it('keeps to the delimiter that is named', async () => {
    expect(await columnsOf('a;b\n1,5;x\n', { ...csv, delimiter: ';' })).toEqual({
      'a:category': ['1,5'],
      'b:category': ['x'],
    });
    expect(await columnsOf('"a,b"\n1\n', { ...csv, delimiter: ';' })).toEqual({ 'a,b:number': [1] });
  });

  it('keeps the order of 50,000 rows, and reads the columns asked for', async () => {
    const { profile, table } = await read(`a,b\n${goodLines(50_000)}`);
    expect(profile.nRows).toBe(50_000);
    const [a] = table.columns;
    expect(a!.type === 'number' && a!.values.every((value, i) => value === i)).toBe(true);
    const only = await engine.readTable(file('data.parquet'), ['b']);
    expect(only.columns.map(({ name }) => name)).toEqual(['b']);
    expect((await engine.readTable(file('data.parquet'), ['absent'])).columns).toEqual([]);
  });

  it('reads 1,000 columns within its memory', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `c${i}`);
    const rows = Array.from({ length: 50 }, () => names.map((_, i) => i).join(','));
    const { profile, table } = await read(`${names.join(',')}\n${rows.join('\n')}\n`);
    expect(profile.columns.map(({ name }) => name)).toEqual(names);
    expect(profile.columns[999]).toMatchObject({ min: 999, max: 999, n_distinct: 1 });
    expect(table.columns).toHaveLength(1_000);
  });
});

describe('TabularEngine: profiles', () => {
  it('counts what is missing and distinct, and describes numbers, dates and categories', async () => {
    const { profile } = await read('n,d,c,b\n1,2024-01-01,x,true\n3,2024-01-03,x,false\n,,y,true\n1,,,\n');
    expect(profile).toEqual({
      nRows: 4,
      columns: [
        {
          name: 'n',
          type: 'number',
          n_missing: 1,
          n_distinct: 2,
          min: 1,
          max: 3,
          mean: 5 / 3,
          std: expect.closeTo(1.1547, 4),
        },
        {
          ...{ name: 'd', type: 'date', n_missing: 2, n_distinct: 2 },
          ...{ min: '2024-01-01T00:00:00.000Z', max: '2024-01-03T00:00:00.000Z' },
        },
        {
          ...{ name: 'c', type: 'category', n_missing: 1, n_distinct: 2 },
          top: [
            { value: 'x', count: 2 },
            { value: 'y', count: 1 },
          ],
        },
        { name: 'b', type: 'boolean', n_missing: 1, n_distinct: 2, mean: 2 / 3 },
      ],
    });
  });

  it('gives no standard deviation of numbers whose squares overflow, and counts the rest', async () => {
    const { profile } = await read('a\n1e200\n-1e200\n1\n');
    expect(profile.columns).toEqual([
      {
        name: 'a',
        type: 'number',
        n_missing: 0,
        n_distinct: 3,
        min: -1e200,
        max: 1e200,
        mean: expect.any(Number),
      },
    ]);
  });
});

describe('TabularEngine: JSON lines', () => {
  it.each<[string, string, Record<string, unknown[]>]>([
    [
      'every type',
      '{"n":1.5,"b":true,"t":"x","d":"2024-01-01"}\n',
      { 'n:number': [1.5], 'b:boolean': [1], 't:category': ['x'], 'd:date': [ms('2024-01-01')] },
    ],
    [
      'absent and null values',
      '{"a":1}\n{"b":"x"}\n{"a":null,"b":null}\n',
      { 'a:number': [1, null, null], 'b:category': [null, 'x', null] },
    ],
    [
      'a column of nulls only',
      '{"a":1,"b":null}\n{"a":2,"b":null}\n',
      { 'a:number': [1, 2], 'b:category': [null, null] },
    ],
    ['instants', '{"a":"2024-01-01T00:00:00+02:00"}\n', { 'a:date': [ms('2023-12-31T22:00Z')] }],
    [
      'dates with and without a time',
      '{"a":"2024-01-01"}\n{"a":"2024-01-02T03:04:05Z"}\n{"a":null}\n{"a":"2024-01-02T03:04:05+02:00"}\n',
      { 'a:date': [ms('2024-01-01'), ms('2024-01-02T03:04:05Z'), null, ms('2024-01-02T01:04:05Z')] },
    ],
    [
      'dates of which one is none as text',
      '{"a":"2024-01-01"}\n{"a":"2024-02-30"}\n',
      { 'a:category': ['2024-01-01', '2024-02-30'] },
    ],
    [
      'a mix of numbers, booleans and text as text',
      '{"a":1,"b":1}\n{"a":"x \\"y\\"","b":true}\n{"a":null,"b":null}\n{"a":1.5,"b":2}\n',
      { 'a:category': ['1', 'x "y"', null, '1.5'], 'b:category': ['1', 'true', null, '2'] },
    ],
    ['unicode', '{"ä":"🎫"}\r\n{"ä":"\\u00e9"}\n', { 'ä:category': ['🎫', 'é'] }],
  ])('reads %s', async (_, source, expected) => {
    expect(await columnsOf(source, jsonl)).toEqual(expected);
  });

  it.each<[string, string, number]>([
    ['a broken first line', '{bad}\n', 1],
    ['a broken line in the middle', '{"a":1}\n{bad}\n{"a":2}\n', 2],
    ['a line cut off', '{"a":1}\n{"a":\n', 2],
    ['a broken line after an empty one', '{"a":1}\n\n{bad}\n', 3],
    ['a number', '{"a":1}\n5\n', 2],
    ['an array', '{"a":1}\n{"a":2}\n[{"a":3}]\n', 3],
    ['a name twice in one object', '{"a":1}\n{"a":1,"a":2}\n', 2],
  ])('refuses %s by its line', async (_, source, line) => {
    const error = await refusal(source, jsonl);
    expect([error.code, error.message]).toEqual([
      'MALFORMED_DATA',
      expect.stringContaining(`line ${line}: expected`),
    ]);
    expect(error.errors[0]!.pointer).toBe(`/line/${line}`);
  });

  it('names the line of gzip too', async () => {
    const error = await refusal(gzipSync('{"a":1}\nx\n'), { ...jsonl, compression: 'gzip' });
    expect(error.errors).toEqual([{ pointer: '/line/2', detail: 'line 2: expected one whole JSON object' }]);
  });

  it.each([
    ['an object', '{"a":{"b":1}}\n'],
    ['a list', '{"a":[1,2]}\n'],
    ['a number and an object', '{"a":1}\n{"a":{"b":1}}\n'],
    ['a text and a list', '{"a":"x"}\n{"a":[1]}\n'],
  ])('refuses a column that holds %s, by its name', async (_, source) => {
    const error = await refusal(source, jsonl);
    expect([error.code, error.errors[0]!.pointer]).toEqual(['UNSUPPORTED_COLUMN_TYPE', '/a']);
  });
});

describe('TabularEngine: many columns', () => {
  const names = (n: number) => Array.from({ length: n }, (_, i) => `c${i}`);
  const line = (n: number) => JSON.stringify(Object.fromEntries(names(n).map((name, i) => [name, i])));
  const wide = (n: number, separator = ',') =>
    `${names(n).join(separator)}\n${names(n)
      .map((_, i) => i)
      .join(separator)}\n`;

  it('takes 2,001 columns', async () => {
    expect((await read(wide(2_001))).profile.columns).toHaveLength(2_001);
    expect((await read(`${line(2_001)}\n`, jsonl)).profile.columns).toHaveLength(2_001);
  });

  it.each<[string, string | Uint8Array, ParseOptions]>([
    ['a CSV', wide(2_002), csv],
    ['a CSV with semicolons', wide(2_002, ';'), csv],
    ['a CSV with a named delimiter', wide(2_002, '|'), { ...csv, delimiter: '|' }],
    ['a gzip', gzipSync(wide(2_002)), { ...csv, compression: 'gzip' }],
    ['JSON lines', `${line(2_002)}\n`, jsonl],
  ])('refuses one more in %s, naming limit and count', async (_, source, options) => {
    const error = await refusal(source, options);
    expect([error.code, error.message]).toEqual([
      'TOO_MANY_COLUMNS',
      expect.stringMatching(/has 2002 columns.* at most 2001\./),
    ]);
  });

  it('refuses a header that is too wide whatever stands below it', async () => {
    expect((await refusal(`${names(2_002).join(',')}\n"never closed\n`)).code).toBe('TOO_MANY_COLUMNS');
  });

  it('reads objects that have other names each', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => `{"k${i}":${i}}`).join('\n');
    const { profile } = await read(lines, jsonl);
    expect(profile.columns).toHaveLength(300);
    expect(profile.columns[299]).toMatchObject({ name: 'k299', type: 'number', n_missing: 299, max: 299 });
  });
});

describe('TabularEngine: too little memory', () => {
  it('says that the data is too large, not that it is malformed, and how to help it', async () => {
    const small = await DuckDbEngine.open(folder, { memoryMiB: 4, threads: 1 });
    const text = `t\n${Array.from({ length: 20_000 }, (_, i) => `${i}${'x'.repeat(300)}`).join('\n')}\n`;
    const tooLarge = { code: 'DATASET_TOO_LARGE', message: expect.stringContaining('send fewer rows') };
    try {
      writeFileSync(file('source'), text);
      await expect(small.convertToParquet(file('source'), csv, file('out.parquet'))).rejects.toMatchObject(
        tooLarge,
      );
      await engine.convertToParquet(file('source'), csv, file('data.parquet'));
      await expect(small.readTable(file('data.parquet'))).rejects.toMatchObject(tooLarge);
    } finally {
      small.close();
    }
  });
});

describe('TabularEngine: names twice', () => {
  it.each<[string, ParseOptions, number, string]>([
    ['a,b,a\n1,2,3\n', csv, 1, 'the column "a" twice'],
    ['"x, ""y""";b;"x, ""y"""\n1;2;3\n', csv, 1, 'the column "x, \\"y\\"" twice'],
    ['\uFEFFa|a\r\n1|2\r\n', { ...csv, delimiter: '|' }, 1, 'the column "a" twice'],
    ['Age,age\n1,2\n', csv, 1, '"Age" and "age", which differ in case only'],
    ['\na,a\n1,2\n', csv, 2, 'the column "a" twice'],
  ])('refuses the header of %j', async (source, options, line, detail) => {
    const error = await refusal(source, options);
    expect([error.code, error.message]).toEqual(['DUPLICATE_COLUMN', expect.stringContaining(detail)]);
    expect(error.errors[0]!.pointer).toBe(`/line/${line}`);
  });
});

describe('TabularEngine: malformed CSV', () => {
  it('names line and column of a line that is too short and of one that is too long', async () => {
    const error = await refusal(`a,b\n${goodLines(50)}51\n${goodLines(50)}152,x,y\n`);
    expect(error.code).toBe('MALFORMED_DATA');
    expect(error.errors).toEqual([
      { pointer: '/line/52/column/b', detail: 'line 52, column b: expected 2 columns, found 1' },
      { pointer: '/line/103/column/3', detail: 'line 103, column 3: expected 2 columns, found 3' },
    ]);
  });

  it('names line and column of bytes that are no UTF-8', async () => {
    const source = Buffer.concat([Buffer.from(`a,b\n${goodLines(9)}`), Buffer.from('9,caf\xe9\n', 'latin1')]);
    const error = await refusal(source);
    expect(error.errors).toEqual([
      { pointer: '/line/11/column/b', detail: 'line 11, column b: expected UTF-8 text' },
    ]);
  });

  it.each<[string, string | Uint8Array, ParseOptions, string]>([
    ['a quote that is never closed', 'a,b\n1,"x\n2,y\n', csv, 'MALFORMED_DATA'],
    ['nothing at all', '', csv, 'EMPTY_DATASET'],
    ['a header only', 'a,b\n', csv, 'EMPTY_DATASET'],
    ['gzip that was said to be plain', gzipSync(`a,b\n${goodLines(100)}`), csv, 'MALFORMED_DATA'],
    ['plain text that was said to be gzip', 'a,b\n1,2\n', { ...csv, compression: 'gzip' }, 'MALFORMED_DATA'],
    [
      'gzip cut off',
      gzipSync(`a,b\n${goodLines(5_000)}`).subarray(0, 900),
      { ...csv, compression: 'gzip' },
      'MALFORMED_DATA',
    ],
    ['UTF-16', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'), csv, 'MALFORMED_DATA'],
    ['text that was said to be Parquet', 'PAR1 nothing PAR1', parquet, 'MALFORMED_DATA'],
    ['a Parquet magic without a body', 'PAR1', parquet, 'MALFORMED_DATA'],
    ['a blank file', '\n\n', csv, 'EMPTY_DATASET'],
    ['blanks only', ' \r\n\t\r\n', csv, 'EMPTY_DATASET'],
    ['blank gzip', gzipSync('\n\n'), { ...csv, compression: 'gzip' }, 'EMPTY_DATASET'],
    ['empty JSON lines', '', jsonl, 'EMPTY_DATASET'],
    ['blank JSON lines', '\n\n', jsonl, 'EMPTY_DATASET'],
    ['objects without fields', '{}\n{ }\n', jsonl, 'EMPTY_DATASET'],
  ])('refuses %s', async (_, source, options, code) => {
    expect((await refusal(source, options)).code).toBe(code);
  });

  it('works on after it refused something', async () => {
    await refusal('a,b\n1\n2,3,4\n');
    expect(await columnsOf('a\n1\n')).toEqual({ 'a:number': [1] });
  });
});

describe('TabularEngine: Parquet and its folder', () => {
  async function write(query: string, target: string): Promise<void> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`COPY (${query}) TO '${target}' (FORMAT parquet)`);
    connection.closeSync();
    instance.closeSync();
  }

  it('reads decimals, instants, small integers, text and booleans', async () => {
    await write(
      "SELECT 1.25::DECIMAL(10,2) d, TIMESTAMPTZ '2024-01-01 10:00:00+02' t, 7::TINYINT i, 'x' s, true b, NULL::DOUBLE n",
      file('source.parquet'),
    );
    await engine.convertToParquet(file('source.parquet'), parquet, file('data.parquet'));
    const { columns } = await engine.readTable(file('data.parquet'));
    const values = columns.map((column) =>
      column.type === 'category' ? column.categories : Array.from(column.values),
    );
    expect(values).toEqual([[1.25], [ms('2024-01-01T08:00Z')], [7], ['x'], [1], [Number.NaN]]);
  });

  it('refuses bytes and lists in columns', async () => {
    for (const [query, type] of [
      ["SELECT 'x'::BLOB AS c", 'BLOB'],
      ['SELECT [1,2] AS c', 'INTEGER[]'],
    ] as const) {
      await write(query, file('source.parquet'));
      await expect(
        engine.convertToParquet(file('source.parquet'), parquet, file('data.parquet')),
      ).rejects.toMatchObject({
        code: 'UNSUPPORTED_COLUMN_TYPE',
        errors: [{ pointer: '/c', detail: `type ${type}` }],
      });
    }
  });

  it('reads and writes no file outside its folder', async () => {
    writeFileSync(join(outside, 'secret.csv'), 'a\n1\n');
    await expect(
      engine.convertToParquet(join(outside, 'secret.csv'), csv, file('data.parquet')),
    ).rejects.toThrow();
    await expect(
      engine.convertToParquet(
        `${folder}/../${outside.split('/').at(-1)}/secret.csv`,
        csv,
        file('data.parquet'),
      ),
    ).rejects.toThrow();
    writeFileSync(file('source'), 'a\n1\n');
    await expect(
      engine.convertToParquet(file('source'), csv, join(outside, 'out.parquet')),
    ).rejects.toThrow();
    expect(existsSync(join(outside, 'out.parquet'))).toBe(false);
  });
});
