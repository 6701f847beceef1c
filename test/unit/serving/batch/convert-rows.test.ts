import { describe, expect, it } from 'vitest';
import type { FeatureSpec } from '../../../../src/contracts/models.ts';
import { type Column, categoryColumn, createTable } from '../../../../src/ml/table.ts';
import { convertRows } from '../../../../src/serving/batch/convert-rows.ts';
import { missingInt64 } from '../../../../src/serving/feature-batch.ts';

const numeric = (type: 'number' | 'boolean' | 'date', values: readonly (number | null)[]): Column => ({
  name: 'x',
  type,
  values: Float64Array.from(values, (value) => value ?? Number.NaN),
});
const text = (values: readonly (string | null)[]) => categoryColumn('x', values);

function convert(type: FeatureSpec['type'], column: Column) {
  const { batch, failures } = convertRows([{ name: 'x', type, input: 'x' }], createTable([column]));
  return { values: Array.from(batch.features[0]!.data as ArrayLike<unknown>), failures: [...failures] };
}

describe('a number', () => {
  it('is read from numbers, and fails beyond what the graph can hold', () => {
    expect(convert('number', numeric('number', [1.5, null, -1e39, 3e38]))).toEqual({
      values: [1.5, Number.NaN, Number.NEGATIVE_INFINITY, Math.fround(3e38)],
      failures: [[2, 'x must be a number within ±3.4e38, got -1e+39']],
    });
  });

  it('is read from text that is one, and from no other', () => {
    const { values, failures } = convert(
      'number',
      text(['1', ' -2.5e1 ', '.5', null, ' ', 'abc', '0x10', 'Infinity', '1,5', '1e99']),
    );
    expect(values.slice(0, 5)).toEqual([1, -25, 0.5, Number.NaN, Number.NaN]);
    expect(failures.map(([row]) => row)).toEqual([5, 6, 7, 8, 9]);
    expect(failures[0]).toEqual([5, 'x must be a number, got "abc"']);
  });
});

describe('a boolean', () => {
  it('is read from booleans, from 0 and 1, and from text that is one', () => {
    expect(convert('boolean', numeric('boolean', [1, 0, null])).values).toEqual([1, 0, Number.NaN]);
    expect(convert('boolean', numeric('number', [1, 0, null, 2]))).toEqual({
      values: [1, 0, Number.NaN, Number.NaN],
      failures: [[3, 'x must be true or false, got 2']],
    });
    expect(convert('boolean', text(['TRUE', 'f', 'yes', '0', null, 'maybe']))).toEqual({
      values: [1, 0, 1, 0, Number.NaN, Number.NaN],
      failures: [[5, 'x must be true or false, got "maybe"']],
    });
  });
});

describe('a date', () => {
  const noonMs = Date.UTC(2026, 0, 31, 12);

  it('is read from dates, epoch milliseconds, and text as RFC 3339 has it', () => {
    expect(convert('date', numeric('date', [noonMs, null])).values).toEqual([BigInt(noonMs), missingInt64]);
    expect(convert('date', numeric('number', [noonMs, null, 1e300, Number.POSITIVE_INFINITY]))).toEqual({
      values: [BigInt(noonMs), missingInt64, missingInt64, missingInt64],
      failures: [
        [2, 'x must be a date: RFC 3339 text or epoch milliseconds, got 1e+300'],
        [3, 'x must be a date: RFC 3339 text or epoch milliseconds, got Infinity'],
      ],
    });
    const { values, failures } = convert(
      'date',
      text([
        '2026-01-31T12:00:00Z',
        '2026-01-31 13:00+01:00',
        '2026-01-31T12:00',
        '2026-02-30',
        'soon',
        null,
      ]),
    );
    expect(values).toEqual([
      ...[BigInt(noonMs), BigInt(noonMs), BigInt(noonMs)],
      ...[missingInt64, missingInt64, missingInt64],
    ]);
    expect(failures.map(([row]) => row)).toEqual([3, 4]);
  });
});

describe('a category', () => {
  it('is text as it is, and numbers and booleans as JSON writes them', () => {
    expect(convert('category', text(['a', null, ' b '])).values).toEqual(['a', '', ' b ']);
    expect(convert('category', numeric('number', [80, 1.5, 1e-7, null])).values).toEqual([
      '80',
      '1.5',
      '1e-7',
      '',
    ]);
    expect(convert('category', numeric('boolean', [1, 0, null])).values).toEqual(['true', 'false', '']);
  });

  it('fails with a number beyond 2^53, which is rounded, as it does online', () => {
    const { values, failures } = convert('category', numeric('number', [2 ** 53 - 1, 2 ** 53, null]));
    expect(values).toEqual(['9007199254740991', '', '']);
    expect(failures).toEqual([[1, expect.stringContaining('2^53')]]);
  });

  it('fails with the character NUL, at which the graph would end it', () => {
    expect(convert('category', text(['a', 'a\0b', null]))).toEqual({
      values: ['a', '', ''],
      failures: [[1, 'x must be text without the character NUL, got "a\\u0000b"']],
    });
  });
});

it('a row that fails twice says what came first', () => {
  const table = createTable([text(['no']), { ...text(['nor']), name: 'y' }]);
  const features = ['x', 'y'].map((name) => ({ name, type: 'number' as const, input: name }));
  expect([...convertRows(features, table).failures]).toEqual([[0, 'x must be a number, got "no"']]);
});
