import { describe, expect, it } from 'vitest';
import { TrainingConfig, type TrainingConfigFields } from '../../../src/client/training-config.ts';
import { ValidationError } from '../../../src/errors.ts';

const fields: TrainingConfigFields = {
  modelType: 'classification',
  datasetId: 'd'.repeat(64),
  featureColumns: ['amount', 'frequency', 'time_diff'],
  targetColumn: 'is_fraud',
};

describe('TrainingConfig', () => {
  it('has the defaults of a training', () => {
    expect(new TrainingConfig(fields)).toMatchObject({
      ...{ modelType: 'classification', modelName: 'classification', testSize: 0.2, minSamples: 100 },
      trainingData: { datasetId: 'd'.repeat(64) },
    });
  });

  it('takes rows and dates as they are', () => {
    const data = [{ amount: 1, at: new Date(0), is_fraud: undefined }];
    const { datasetId: _, ...rest } = fields;
    expect(new TrainingConfig({ ...rest, data }).trainingData).toBe(data);
  });

  it.each<[string, Record<string, unknown>, string[], RegExp]>([
    [
      'a query',
      { trainingDataQuery: 'SELECT * FROM transactions', datasetId: undefined },
      ['/trainingDataQuery'],
      /trainingDataQuery: queries are not run by the platform yet: make a dataset/,
    ],
    ['a type that is none', { modelType: 'telepathy' }, ['/modelType'], /"classification", "regression"/],
    ['no target', { targetColumn: undefined }, ['/targetColumn'], /is required/],
    ['a share of all', { testSize: 1 }, ['/testSize'], /at most 0\.5, got 1/],
    ['a part of a row', { minSamples: 2.5 }, ['/minSamples'], /minSamples/],
    [
      'a target among the features',
      { targetColumn: 'amount' },
      ['/featureColumns'],
      /must not hold targetColumn/,
    ],
    ['no data', { datasetId: undefined }, ['/datasetId'], /give either datasetId or data/],
    ['data twice', { data: [{ a: 1 }] }, ['/datasetId'], /give either datasetId or data/],
    ['a typo', { test_size: 0.2 }, [''], /unknown field "test_size"/],
    ['two faults', { testSize: 3, minSamples: 0 }, ['/testSize', '/minSamples'], /testSize/],
  ])('names the fields of %s', (_name, change, pointers, message) => {
    let refusal: ValidationError | undefined;
    try {
      new TrainingConfig({ ...fields, ...change } as TrainingConfigFields);
    } catch (error) {
      refusal = error as ValidationError;
    }
    expect(refusal).toBeInstanceOf(ValidationError);
    expect(refusal!.errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(refusal!.message).toMatch(message);
  });
});
