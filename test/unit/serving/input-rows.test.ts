import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureSpec } from '../../../src/contracts/models.ts';
import type { MLFrameworkError } from '../../../src/errors.ts';
import { missingInt64 } from '../../../src/serving/feature-batch.ts';
import { batchOfRows, inputData, rowsOf } from '../../../src/serving/input-rows.ts';

const feature = (name: string, type: FeatureSpec['type']): FeatureSpec => ({ name, type, input: name });
const features = [
  feature('age', 'number'),
  feature('is_open', 'boolean'),
  feature('opened_at', 'date'),
  feature('city', 'category'),
];

/** What the graph gets, a row at a time. */
function batched(input: unknown, of = features): unknown[][] {
  const { rows, isList } = rowsOf(input);
  const batch = batchOfRows(of, rows, inputData(isList));
  return rows.map((_, i) => batch.features.map(({ data }) => data[i]));
}

function refusal(input: unknown, of = features): MLFrameworkError {
  try {
    batched(input, of);
  } catch (error) {
    return error as MLFrameworkError;
  }
  throw new Error('the input was not refused');
}

let zone: string | undefined;
beforeAll(() => {
  zone = process.env.TZ;
  process.env.TZ = 'America/New_York';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe('rows of a prediction', () => {
  const full = { age: 42, is_open: true, opened_at: '2024-01-01', city: 'Bern' };
  const expected = [42, 1, BigInt(Date.parse('2024-01-01')), 'Bern'];

  it.each<[string, unknown, unknown[][]]>([
    ['an object', full, [expected]],
    ['an array in feature order', [42, true, '2024-01-01', 'Bern'], [expected]],
    ['a list of objects', [full, full], [expected, expected]],
    ['a list of arrays', [[42, true, '2024-01-01', 'Bern']], [expected]],
    ['objects and arrays mixed', [full, [42, 1, 1704067200000, 'Bern']], [expected, expected]],
    ['what is left out as missing', {}, [[Number.NaN, Number.NaN, missingInt64, '']]],
    [
      'null and empty text as missing',
      { age: null, is_open: '', opened_at: null, city: null },
      [[Number.NaN, Number.NaN, missingInt64, '']],
    ],
    ['numbers and booleans as categories', { ...full, city: 7 }, [[42, 1, expected[2], '7']]],
  ])('take %s', (_, input, rows) => {
    expect(batched(input)).toEqual(rows);
  });

  it('say whether a list was sent, also of one row', () => {
    expect(rowsOf([full]).isList).toBe(true);
    expect(rowsOf(full).isList).toBe(false);
    expect(rowsOf([42, true, null, 'Bern']).isList).toBe(false);
  });

  it.each<[string, unknown]>([
    ['text', 'age=42'],
    ['a number', 42],
    ['null', null],
    ['nothing', undefined],
    ['an empty list', []],
    ['a list that holds something else', [full, 5]],
    ['a list that holds null', [full, null]],
  ])('are not %s', (_, input) => {
    expect(refusal(input).code).toBe('INVALID_INPUT');
  });

  it('are at most a thousand', () => {
    expect(batched(Array.from({ length: 1_000 }, () => full))).toHaveLength(1_000);
    expect(refusal(Array.from({ length: 1_001 }, () => full)).code).toBe('TOO_MANY_ROWS');
  });

  it('have as many values as the model has features when they are arrays', () => {
    expect(refusal([[1, true, null]]).errors).toEqual([
      { pointer: '/input_data/0', detail: '3 values, the model takes 4: age, is_open, opened_at, city' },
    ]);
    expect(refusal([1, true, null, 'x', 5]).errors[0]!.pointer).toBe('/input_data');
  });
});

describe('types of a prediction', () => {
  it.each<[string, unknown]>([
    ['city', 'Be\0rn'],
    ['age', '42'],
    ['age', true],
    ['age', [1]],
    ['age', {}],
    ['age', 1e39],
    ['age', Number.POSITIVE_INFINITY],
    ['age', Number.NaN],
    ['is_open', 'true'],
    ['is_open', 2],
    ['is_open', []],
    ['opened_at', 'yesterday'],
    ['opened_at', 'ticket 5'],
    ['opened_at', '1'],
    ['opened_at', '2024'],
    ['opened_at', '5'],
    ['opened_at', 'hello 2024'],
    ['opened_at', '2024-02-30'],
    ['opened_at', '2024-13-01'],
    ['opened_at', '2024-01-01T25:00'],
    ['opened_at', '01/02/2024'],
    ['opened_at', true],
    ['opened_at', 9e15],
    ['opened_at', {}],
    ['city', {}],
    ['city', ['Bern']],
  ])('refuse %s = %j by the name of the field', (name, value) => {
    const error = refusal([{ age: 1 }, { [name]: value }]);
    expect(error.code).toBe('INVALID_INPUT');
    expect(error.errors).toEqual([
      { pointer: `/input_data/1/${name}`, detail: expect.stringMatching(new RegExp(`^${name} must be`)) },
    ]);
  });

  it.each<[unknown, string]>([
    ['2024-01-01', '2024-01-01T00:00:00Z'],
    ['2024-01-01T10:00', '2024-01-01T10:00:00Z'],
    ['2024-01-01 10:00:30', '2024-01-01T10:00:30Z'],
    ['2024-01-01T10:00:00.123456Z', '2024-01-01T10:00:00.123Z'],
    ['2024-01-01T10:00:00+02:00', '2024-01-01T08:00:00Z'],
    ['2024-01-01 10:00:00-0530', '2024-01-01T15:30:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    [1704067200000.4, '2024-01-01T00:00:00Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
  ])('take the date %j as UTC, wherever the machine stands', (value, instant) => {
    expect(batched({ opened_at: value })[0]![2]).toBe(BigInt(Date.parse(instant)));
  });

  it('round numbers to the float32 that the graph takes', () => {
    expect(batched({ age: 0.1 })[0]![0]).toBe(Math.fround(0.1));
    expect(batched({ age: 3.4e38 })[0]![0]).toBe(Math.fround(3.4e38));
  });

  it('report at most twenty fields', () => {
    const rows = Array.from({ length: 50 }, () => ({ age: 'x', city: {} }));
    expect(refusal(rows).errors).toHaveLength(20);
  });
});

describe('fields that no feature has', () => {
  it('are ignored beside features', () => {
    expect(batched({ age: 1, ticket_id: 'T-1', comment: {} })[0]![0]).toBe(1);
  });

  it.each([
    ['Age', 'age'],
    ['isOpen', 'is_open'],
    ['is-open', 'is_open'],
    ['opened_att', 'opened_at'],
    ['ctiy', undefined],
    ['cit', undefined],
    ['citty', 'city'],
  ])('are misspelt features: %s', (name, meant) => {
    const input = { age: 1, [name]: 1 };
    if (name === 'Age') delete (input as { age?: number }).age;
    if (meant === undefined) {
      expect(batched(input)).toHaveLength(1);
      return;
    }
    expect(refusal({ ...input, ...(meant === 'city' ? {} : { city: 'x' }) }).message).toContain(
      `did you mean "${meant}"?`,
    );
  });

  it('are no misspelling of a feature that was sent', () => {
    expect(batched({ age: 1, Age: 2 })[0]![0]).toBe(1);
  });

  it('are refused when they are all there is', () => {
    expect(refusal({ foo: 1, bar: 2 }).message).toContain('no field is a feature of the model');
  });

  it('have pointers as RFC 6901 writes them', () => {
    const odd = [feature('a/b~c', 'number')];
    expect(refusal({ 'a/b~c': 'x' }, odd).errors[0]!.pointer).toBe('/input_data/a~1b~0c');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'are not taken from the prototype: a feature named %s is missing unless it is sent',
    (name) => {
      const odd = [feature(name, 'category'), feature('age', 'number')];
      expect(batched({ age: 1 }, odd)).toEqual([['', 1]]);
      const sent = JSON.parse(`{"${name}": "x", "age": 1}`) as unknown;
      expect(batched(sent, odd)).toEqual([['x', 1]]);
    },
  );
});
