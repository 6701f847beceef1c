import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { expandInputs } from '../../../../src/ml/onnx/expanded-inputs.ts';
import { concatenated, declareFeatureInputs } from '../../../../src/ml/onnx/feature-inputs.ts';
import { GraphBuilder } from '../../../../src/ml/onnx/graph-builder.ts';
import { ElementType } from '../../../../src/ml/onnx/onnx-versions.ts';
import { calendarParts } from '../../../../src/ml/preprocessing/calendar-parts.ts';
import { trainingFeatures } from '../../../../src/ml/preprocessing/feature-columns.ts';
import {
  expandFeatures,
  type FeatureExpansion,
  fitFeatureExpansion,
} from '../../../../src/ml/preprocessing/feature-expansion.ts';
import { type Column, categoryColumn, createTable } from '../../../../src/ml/table.ts';

const { NaN: nan } = Number;
const SEED = 42;

const moment = fc.oneof(
  fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
  fc.integer({ min: -3e12, max: 5e12 }),
  // Ends of days, where a wrong floor shows.
  fc
    .tuple(fc.integer({ min: -1e8, max: 1e8 - 1 }), fc.constantFrom(0, 1, 86_399_999))
    .map(([d, ms]) => d * 864e5 + ms),
);

function dates(...values: number[]): Column {
  return { name: 'when', type: 'date', values: Float64Array.from(values) };
}

function expansionOf(...columns: Column[]): FeatureExpansion {
  return fitFeatureExpansion(trainingFeatures(createTable(columns), 'y'));
}

const kinds = (expansion: FeatureExpansion) => expansion.columns.map(({ kind }) => kind);

describe('calendar parts', () => {
  it('are those of Date in UTC, over its whole range', () => {
    fc.assert(
      fc.property(moment, (ms) => {
        const date = new Date(ms);
        expect(calendarParts(ms)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          day_of_week: (date.getUTCDay() + 6) % 7,
          hour: date.getUTCHours(),
        });
      }),
      { numRuns: 2000, seed: SEED },
    );
  });
});

describe('a feature expansion', () => {
  it('keeps numbers and categories as they are, each with its source', () => {
    const table = createTable([
      { name: 'a', type: 'number', values: Float64Array.of(1, nan) },
      dates(0, 40 * 864e5),
      categoryColumn('c', ['x', 'y']),
    ]);
    const features = trainingFeatures(table, 'y');
    const expansion = fitFeatureExpansion(features);
    const columns = expandFeatures(features, expansion);
    expect(columns.map(({ spec, source }) => [spec.name, source])).toEqual([
      ['a', 0],
      ['when (time)', 1],
      ['when (month)', 1],
      ['when (day)', 1],
      ['when (day of week)', 1],
      ['c', 2],
    ]);
    expect(columns[0]).toEqual({ ...features[0], source: 0 });
    expect(columns[5]).toEqual({ ...features[2], source: 2 });
    expect(JSON.parse(JSON.stringify(expansion))).toEqual(expansion);
  });

  it('keeps the parts that differ in training, and time alone where none does', () => {
    const day = Date.UTC(2024, 1, 28);
    expect(kinds(expansionOf(dates(day, day + 36e5)))).toEqual(['time', 'hour']);
    expect(kinds(expansionOf(dates(day, day + 864e5)))).toEqual(['time', 'day', 'day_of_week']);
    expect(kinds(expansionOf(dates(day, Date.UTC(2052, 1, 28))))).toEqual(['time', 'year']);
    expect(kinds(expansionOf(dates(day, nan, day)))).toEqual(['time']);
    expect(kinds(expansionOf(dates(nan, nan)))).toEqual(['time']);
  });

  it('tells moments apart that are a second from each other, in float32', () => {
    const start = Date.UTC(2026, 5, 1, 12);
    const values = Array.from({ length: 3600 }, (_, i) => start + 1000 * i);
    const features = trainingFeatures(createTable([dates(...values)]), 'y');
    const [time] = expandFeatures(features, fitFeatureExpansion(features));
    expect(time!.kind === 'numeric' && new Set(time!.values).size).toBe(3600);
  });

  it('makes every part of a missing date missing', () => {
    const features = trainingFeatures(createTable([dates(-1, nan, 1e12)]), 'y');
    const columns = expandFeatures(features, fitFeatureExpansion(features));
    expect(columns).toHaveLength(6);
    for (const column of columns) {
      expect(column.kind === 'numeric' && Array.from(column.values, Number.isNaN)).toEqual([
        false,
        true,
        false,
      ]);
    }
  });

  it('is the same in ONNX, to the bit', async () => {
    const seeded = fc.sample(moment, { numRuns: 500, seed: SEED });
    const ends = [
      -8.64e15,
      8.64e15,
      0,
      -1,
      1,
      -86_400_000,
      -86_400_001,
      Date.UTC(2000, 1, 29),
      Date.UTC(1900, 1, 28),
    ];
    const values = [nan, ...ends, ...seeded, nan];
    const features = trainingFeatures(createTable([dates(...values)]), 'y');
    const expansion = fitFeatureExpansion(features);
    expect(kinds(expansion)).toEqual(['time', 'year', 'month', 'day', 'day_of_week', 'hour']);
    const graph = new GraphBuilder(['columns']);
    const inputs = declareFeatureInputs(
      graph,
      features.map(({ spec }) => spec),
    );
    const tensors = expandInputs(graph, inputs, expansion).map((column) =>
      column.kind === 'numeric' ? column.tensor() : column.input.input,
    );
    graph.node('Identity', [concatenated(graph, tensors)], { output: 'columns' });
    graph.output('columns', ElementType.float, ['N', tensors.length]);
    const session = await ort.InferenceSession.create(graph.build('dates', {}));
    const epochMs = BigInt64Array.from(values, (value) =>
      Number.isNaN(value) ? -(2n ** 63n) : BigInt(value),
    );
    const outputs = await session.run({ when: new ort.Tensor('int64', epochMs, [values.length, 1]) });
    const actual = outputs.columns!.data as Float32Array;
    expandFeatures(features, expansion).forEach((column, position) => {
      const expected = column.kind === 'numeric' ? column.values : [];
      expect(Array.from(expected, (_, row) => actual[row * tensors.length + position])).toEqual(
        Array.from(expected),
      );
    });
  });
});

describe('dates that no Date can hold', () => {
  it.each([8.64e15 + 1e3, -1e17, Number.POSITIVE_INFINITY])('refuses %d by name', (value) => {
    expect(() => trainingFeatures(createTable([dates(0, value)]), 'y')).toThrowError(
      expect.objectContaining({
        code: 'INFINITE_VALUE',
        message: expect.stringMatching(/"when" holds .* in row 1; dates must be within/),
      }),
    );
  });
});
