import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/ml/explain/explain.ts';
import { categoryColumn, createTable, type Table } from '../../src/ml/table.ts';
import { importXgboost } from '../../src/ml/tree/import/xgboost.ts';
import { differences, expectClose, expectServedAlike, marginsOf } from './imported-models.ts';

interface Golden {
  readonly X: readonly (readonly (number | null)[])[];
  readonly codes: readonly (number | null)[];
  readonly cases: readonly {
    readonly name: string;
    readonly json: string;
    readonly ubjson: string;
    readonly with_codes: boolean;
    readonly predictions: readonly number[];
    readonly is_label: boolean;
    readonly margins: readonly number[];
    readonly contribs: readonly number[] | null;
  }[];
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'goldens/xgboost-models.json'), 'utf8'),
) as Golden;
const nRows = golden.X.length;
const kinds = ['zero', 'one', 'two', 'three', 'four', 'five'];

function table(withCodes: boolean): Table {
  const numbers = ['a', 'b', 'c', 'd'].map((name, j) => ({
    name,
    type: 'number' as const,
    values: Float64Array.from(golden.X, (row) => row[j] ?? Number.NaN),
  }));
  const texts = golden.codes.map((code) => (code === null ? null : kinds[code]!));
  return createTable(withCodes ? [...numbers, categoryColumn('kind', texts)] : numbers);
}

describe.each(golden.cases)('XGBoost model "$name"', (one) => {
  const rows = table(one.with_codes);
  const options = { categories: { kind: kinds } };
  const model = importXgboost(new TextEncoder().encode(one.json), options);
  const nScores = one.margins.length / nRows;

  it('predicts as XGBoost does', () => {
    const { values, probabilities } = model.predict(rows);
    const margins = nScores === 2 ? differences(one.margins) : one.margins;
    expectClose(marginsOf(model, rows), margins);
    if (values !== undefined) expectClose(values, one.predictions);
    else if (one.is_label) {
      const nClasses = model.classes!.length;
      const labels = one.predictions.map((_, row) => {
        const own = probabilities!.subarray(row * nClasses, (row + 1) * nClasses);
        return own.indexOf(Math.max(...own));
      });
      expect(labels).toEqual(one.predictions);
    } else if (nScores > 1) expectClose(probabilities!, one.predictions);
    else
      expectClose(
        probabilities!.filter((_, i) => i % 2 === 1),
        one.predictions,
      );
  });

  it('is the same from UBJSON as from JSON', () => {
    const other = importXgboost(new Uint8Array(Buffer.from(one.ubjson, 'base64')), options);
    expect(other.toJSON()).toEqual(model.toJSON());
  });

  it('predicts the same in onnxruntime and after a round trip as JSON', async () => {
    await expectServedAlike(model, rows);
  });

  it.runIf(one.contribs !== null && nScores !== 2)('is explained as by pred_contribs', () => {
    const { base, values, nFeatures } = explain(model, rows);
    const expected = one.contribs!;
    for (let row = 0; row < nRows; row++) {
      for (let k = 0; k < nScores; k++) {
        const at = row * nScores + k;
        const own = [...values.subarray(at * nFeatures, (at + 1) * nFeatures), base[k]!];
        // Its sums are float32, and its covers do not add up exactly.
        for (const [j, value] of own.entries()) {
          expect(Math.abs(value - expected[at * (nFeatures + 1) + j]!)).toBeLessThan(3e-6);
        }
      }
    }
  });
});

describe('an imported XGBoost model', () => {
  const bytes = (name: string) =>
    new TextEncoder().encode(golden.cases.find((one) => one.name === name)!.json);

  it('takes labels, names and a target from the options', () => {
    const model = importXgboost(bytes('three classes'), {
      classes: ['high', 'low', 'none'],
      target: 'level',
      features: ['p', 'q', 'r', 's'],
    });
    expect(model.classes).toEqual(['high', 'low', 'none']);
    expect(model.target).toBe('level');
    expect(model.features.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'p number',
      'q number',
      'r number',
      's number',
    ]);
  });

  it('keeps the names of the file and numbers the classes', () => {
    const model = importXgboost(bytes('binary'));
    expect(model.features.map((feature) => feature.name)).toEqual(['a', 'b', 'c', 'd']);
    expect(model.classes).toEqual([0, 1]);
    expect(model.task).toBe('classification');
  });

  it('with splits on categories needs their names', () => {
    expect(() => importXgboost(bytes('categories'))).toThrow(/give the option categories/);
    expect(() => importXgboost(bytes('categories'), { categories: { kind: ['only one'] } })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }),
    );
  });
});
