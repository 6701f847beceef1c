import { describe, expectTypeOf, it } from 'vitest';
import type { Prediction } from '../../../src/contracts/prediction.ts';
import type {
  BatchedPrediction,
  MLSystem,
  ModelDeployment,
  ModelStage,
  TrainingConfigFields,
  TrainingResult,
  TrainModelOptions,
} from '../../../src/index.ts';

/** Held by the compiler: nothing here runs. */
const never = (_work: (system: MLSystem) => unknown) => undefined;

describe('the types of the facade', () => {
  it('tell one row from many', () => {
    never((system) => {
      expectTypeOf(system.predict('m', { a: 1 })).resolves.toEqualTypeOf<Prediction>();
      expectTypeOf(system.predict('m', [1, 'x'])).resolves.toEqualTypeOf<Prediction>();
      expectTypeOf(system.predict('m', Float32Array.of(1))).resolves.toEqualTypeOf<Prediction>();
      expectTypeOf(system.predict('m', [{ a: 1 }])).resolves.toEqualTypeOf<Prediction[]>();
      expectTypeOf(system.predict('m', [[1], [2]])).resolves.toEqualTypeOf<Prediction[]>();
      expectTypeOf(system.predict('m', { a: [1, 2] })).resolves.toEqualTypeOf<Prediction[]>();
      expectTypeOf(
        system.predict({ modelId: 'm', inputData: { a: 1 } }),
      ).resolves.toEqualTypeOf<Prediction>();
      expectTypeOf(system.predict({ modelId: 'm', inputData: [[1]] })).resolves.toEqualTypeOf<Prediction[]>();
      expectTypeOf(system.predictBatch('m', [[1]], 32)).resolves.toEqualTypeOf<BatchedPrediction[]>();
    });
  });

  it('have the fields of the documents', () => {
    expectTypeOf<keyof TrainingResult>().toEqualTypeOf<
      'model_id' | 'status' | 'metrics' | 'training_time' | 'model_version'
    >();
    expectTypeOf<TrainModelOptions['trainingData']>().extract<readonly [unknown, unknown]>().not.toBeNever();
    expectTypeOf<ModelStage>().toEqualTypeOf<
      'Development' | 'Staging' | 'Production' | 'Archived' | 'Failed'
    >();
    expectTypeOf<TrainingConfigFields['trainingDataQuery']>().toEqualTypeOf<undefined>();
  });

  it('refuse what does not exist', () => {
    never((system) => {
      // @ts-expect-error predictions are for a model
      void system.predict();
      // @ts-expect-error no such environment
      void system.predict('m', { a: 1 }, { environment: 'moon' });
      // @ts-expect-error data is required
      void system.trainModel({ modelId: 'm' });
    });
    expectTypeOf<Parameters<ModelDeployment['withdraw']>[1]>().toEqualTypeOf<'development' | 'staging'>();
  });
});
