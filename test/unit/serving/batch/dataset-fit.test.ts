import { describe, expect, it } from 'vitest';
import type { DatasetColumn } from '../../../../src/contracts/datasets.ts';
import type { FeatureSpec } from '../../../../src/contracts/models.ts';
import type { ValidationError } from '../../../../src/errors.ts';
import { checkDatasetFits } from '../../../../src/serving/batch/dataset-fit.ts';

const feature = (name: string, type: FeatureSpec['type']): FeatureSpec => ({ name, type, input: name });
const columns = (types: Record<string, DatasetColumn['type']>): DatasetColumn[] =>
  Object.entries(types).map(([name, type]) => ({ name, type, n_missing: 0, n_distinct: 1 }));

/** @returns code and pointers of the refusal, `undefined` without one */
function refusal(
  features: readonly FeatureSpec[],
  types: Record<string, DatasetColumn['type']>,
  include_columns: 'all' | string[] = [],
) {
  try {
    checkDatasetFits(features, { columns: columns(types) }, { include_columns });
    return undefined;
  } catch (error) {
    const { code, message, errors } = error as ValidationError;
    return { code, message, pointers: errors.map(({ pointer }) => pointer) };
  }
}

describe('a dataset fits a model', () => {
  it('when it has every feature, whatever else it has', () => {
    expect(refusal([feature('age', 'number')], { age: 'number', note: 'category' })).toBeUndefined();
  });

  it('not when it lacks features: each is named with the nearest column that is no feature', () => {
    const features = [feature('age', 'number'), feature('city', 'category'), feature('seats', 'number')];
    const refused = refusal(features, { Age: 'number', city: 'category' })!;
    expect(refused).toMatchObject({
      code: 'FEATURE_COLUMN_MISSING',
      pointers: ['/dataset_id/age', '/dataset_id/seats'],
    });
    expect(refused.message).toContain(
      'lacks 2 of the 3 columns that the model takes: "age" (nearest: "Age")',
    );
    expect(refusal(features, { city: 'category' })!.message).toContain('"age", "seats"');
  });

  it.each([
    ['number', ['number', 'category']],
    ['boolean', ['boolean', 'number', 'category']],
    ['date', ['date', 'number', 'category']],
    ['category', ['category', 'number', 'boolean']],
  ] as const)('%s when its column holds one of %j', (type, readable) => {
    for (const column of ['number', 'boolean', 'date', 'category'] as const) {
      const expected = (readable as readonly string[]).includes(column)
        ? undefined
        : { code: 'FEATURE_TYPE_MISMATCH', pointers: ['/dataset_id/x'] };
      const refused = refusal([feature('x', type)], { x: column });
      expect([column, refused && { code: refused.code, pointers: refused.pointers }]).toEqual([
        column,
        expected,
      ]);
    }
  });

  it('not when a column to copy is not there, is named twice, or has the name of one of the result', () => {
    const types = { age: 'number', Prediction: 'number' } as const;
    const check = (include: 'all' | string[]) => refusal([feature('age', 'number')], types, include);
    expect(check(['age'])).toBeUndefined();
    expect(check(['aeg'])).toMatchObject({
      pointers: ['/include_columns/0'],
      message: 'the dataset has no column "aeg"; did you mean "age"?',
    });
    expect(check(['age', 'age'])).toMatchObject({ pointers: ['/include_columns/1'] });
    expect(check(['age', 'Prediction'])).toMatchObject({ pointers: ['/include_columns/1'] });
    expect(check('all')).toMatchObject({ code: 'VALIDATION_FAILED', pointers: ['/include_columns'] });
  });
});
