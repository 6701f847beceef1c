import { afterAll, describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../../src/adapters/worker-threads/thread-pool.ts';
import { STOP } from '../../../../src/ml/kernel/assembly/layout.ts';
import type { ParallelExecutor } from '../../../../src/ml/parallel-executor.ts';
import { fitPipeline, type PipelineSpec } from '../../../../src/ml/pipeline.ts';
import { Random } from '../../../../src/ml/random.ts';
import { createTable } from '../../../../src/ml/table.ts';
import { fitGradientBoosting } from '../../../../src/ml/tree/gradient-boosting.ts';
import { squaredLoss } from '../../../../src/ml/tree/loss.ts';

const pool = new ThreadPool(2);
afterAll(() => pool.close());

const options = {
  nEstimators: 3,
  learningRate: 0.1,
  maxLeafNodes: 4,
  maxDepth: undefined,
  minSamplesLeaf: 1,
  l2Regularization: 0,
  maxBins: 255,
  subsample: 1,
  nIterNoChange: undefined,
  validationFraction: 0.1,
  tol: 1e-7,
  randomState: 0,
};

describe('an interrupted fit', () => {
  it('lets its threads go when it fails before its first tree', () => {
    let memory: WebAssembly.Memory | undefined;
    const parallel: ParallelExecutor = {
      nThreads: 2,
      start(module, itsMemory) {
        memory = itsMemory;
        pool.start(module, itsMemory);
      },
    };
    const broken = {
      kind: 'numeric' as const,
      nCategories: 0,
      fill(): void {
        throw new RangeError('no values');
      },
    };
    const loss = squaredLoss(Float64Array.of(1, 2, 3, 4));
    expect(() => fitGradientBoosting([broken], 4, loss, options, { parallel })).toThrow('no values');
    expect(new Int32Array(memory!.buffer)[STOP / 4]).toBe(1);
  });

  it('has spent a checkpoint also when it stops early at as many trees as that one had', () => {
    // Pure noise: the validation loss is lowest after few iterations.
    const random = new Random(3);
    const column = () => new Float64Array(300).map(() => random.nextFloat());
    const train = createTable(
      ['a', 'b', 'y'].map((name) => ({ name, type: 'number' as const, values: column() })),
    );
    const spec: PipelineSpec = {
      task: 'regression',
      target: 'y',
      algorithm: 'gradient_boosting',
      hyperparameters: { n_iter_no_change: 4, learning_rate: 0.5, validation_fraction: 0.3 },
      randomState: 1,
    };
    const checkpoints: unknown[] = [];
    let result = fitPipeline(train, spec, { shouldPause: () => true });
    while (!result.done) {
      checkpoints.push(result.checkpoint);
      result = fitPipeline(train, spec, { shouldPause: () => true }, result.checkpoint);
    }
    expect(checkpoints.length).toBeGreaterThanOrEqual(4);
    for (const checkpoint of checkpoints) {
      expect(() => fitPipeline(train, spec, {}, checkpoint)).toThrow('gone on from this checkpoint already');
      expect(() => JSON.stringify(checkpoint)).toThrow('gone on from this checkpoint already');
    }
  });
});
