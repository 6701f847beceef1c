import { afterAll, describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../../src/adapters/worker-threads/thread-pool.ts';
import { fitPipeline, type PipelineSpec } from '../../../../src/ml/pipeline.ts';
import { randomTable } from '../support/random-table.ts';

const pools = [2, 4].map((nThreads) => new ThreadPool(nThreads));

afterAll(() => Promise.all(pools.map((pool) => pool.close())));

describe('a fit on several threads', () => {
  it.each([
    ['regression', 'numeric', 'gradient_boosting'],
    ['classification', 'binary', 'gradient_boosting'],
    ['classification', 'multiclass', 'gradient_boosting'],
  ] as const)('ends with the same bits: %s of a %s target by %s', (task, target, algorithm) => {
    // Enough rows that leaves are shared out and derivatives are drawn in several chunks.
    const train = randomTable({ target, nRows: 40_000 });
    const spec: PipelineSpec = {
      task,
      target: 'y',
      algorithm,
      hyperparameters: { n_estimators: 6 },
      randomState: 3,
    };
    const alone = JSON.stringify(fitPipeline(train, spec));
    for (const parallel of pools) expect(JSON.stringify(fitPipeline(train, spec, { parallel }))).toBe(alone);
  });

  it('pauses and goes on with the threads it has, to the same bits', () => {
    const train = randomTable({ target: 'binary', nRows: 20_000 });
    const spec: PipelineSpec = {
      task: 'classification',
      target: 'y',
      algorithm: 'gradient_boosting',
      hyperparameters: { n_estimators: 8, subsample: 0.5, n_iter_no_change: 5 },
      randomState: 1,
    };
    const whole = JSON.stringify(fitPipeline(train, spec));
    let result = fitPipeline(train, spec, { parallel: pools[0]!, shouldPause: () => true });
    for (let slice = 0; !result.done; slice++) {
      // Every other time as another process would: from what was written.
      const checkpoint = slice % 2 === 0 ? result.checkpoint : JSON.parse(JSON.stringify(result.checkpoint));
      result = fitPipeline(train, spec, { parallel: pools[slice % 2]!, shouldPause: () => true }, checkpoint);
    }
    expect(JSON.stringify(result)).toBe(whole);
  });
});
