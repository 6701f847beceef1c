import { describe, expect, it } from 'vitest';
import type { JobId } from '../../../src/contracts/names.ts';
import { fitPipeline } from '../../../src/ml/pipeline.ts';
import { categoryColumn, createTable, type Table } from '../../../src/ml/table.ts';
import { encodeSplit } from '../../../src/training/split-file.ts';
import { evaluateStep } from '../../../src/training/steps/evaluate.ts';
import { fitStep } from '../../../src/training/steps/fit.ts';
import type { StepContext, StepState } from '../../../src/training/steps/step.ts';
import type { WorkFile, WorkFileRef } from '../../../src/training/work-files.ts';

const nRows = 400;
const table: Table = createTable([
  { name: 'x', type: 'number', values: Float64Array.from({ length: nRows }, (_, i) => (i * 37) % 101) },
  { name: 'z', type: 'number', values: Float64Array.from({ length: nRows }, (_, i) => (i * 11) % 17) },
  categoryColumn(
    'y',
    Array.from({ length: nRows }, (_, i) => (((i * 37) % 101) + ((i * 11) % 17) > 55 ? 'yes' : 'no')),
  ),
]);

/** Files kept in memory; the clock moves on by itself with every look at it. */
function contextOf(msPerLook: number, sliceMs: number) {
  const files = new Map<WorkFile, Uint8Array>();
  const progress: number[] = [];
  let nowMs = 0;
  const workFiles = {
    put: async (_tenant: unknown, _job: unknown, file: WorkFile, bytes: Uint8Array): Promise<WorkFileRef> => {
      files.set(file, bytes);
      return { file, sha256: '', bytes: bytes.length };
    },
    get: async (_tenant: unknown, _job: unknown, ref: WorkFileRef) => files.get(ref.file)!,
  };
  const rows = Int32Array.from({ length: nRows }, (_, i) => i);
  files.set('split.bin', encodeSplit({ train: rows.subarray(0, 320), test: rows.subarray(320) }));
  const slice = (): StepContext =>
    ({
      job: {
        job_id: 'job' as JobId,
        request: {
          model_type: 'classification',
          target: 'y',
          algorithm: 'gradient_boosting',
          hyperparameters: { n_estimators: 60 },
          random_state: 42,
        },
      },
      stopAtMs: nowMs + sliceMs,
      jobs: {
        progress: async (_t: unknown, _j: unknown, at: { progress: number }) =>
          void progress.push(at.progress),
      },
      workFiles,
      table: async () => table,
      clock: {
        nowMs: () => {
          nowMs += msPerLook;
          return nowMs;
        },
      },
    }) as unknown as StepContext;
  return { files, progress, slice };
}

const split = { file: 'split.bin', sha256: '', bytes: 0, n_train: 320, n_test: 80 } as const;

describe('the evaluate step', () => {
  it('keeps a metric that is nearer to 0 than the table of jobs can hold as 0', async () => {
    const tableOf = (unit: number) => {
      const values = Float64Array.from({ length: nRows }, (_, i) => (i % 2 ? unit : 2 * unit));
      return createTable([table.columns[0]!, { name: 'y', type: 'number', values }]);
    };
    const tiny = tableOf(1e-150);
    const fitting = { task: 'regression', target: 'y', algorithm: 'ridge', hyperparameters: {} } as const;
    const fitted = fitPipeline(tableOf(1), { ...fitting, randomState: 1 });
    const json = JSON.parse(JSON.stringify(fitted.done && fitted.model));
    // Training refuses such a target; a model for it is made by scaling one.
    for (const name of ['weights', 'intercepts'])
      json[name] = json[name].map((value: number) => value * 1e-150);
    const { files, slice } = contextOf(0, 1);
    files.set('model.json', Buffer.from(JSON.stringify(json)));
    const context = { ...slice(), table: async () => tiny } as StepContext;
    const model = { file: 'model.json', sha256: '', bytes: 0 } as const;
    await evaluateStep(
      { ...context, job: { ...context.job, request: { ...context.job.request, target: 'y' } } },
      { split, model },
    );
    const { metrics } = JSON.parse(Buffer.from(files.get('evaluation.json')!).toString());
    expect(metrics).toMatchObject({ rmse: 0, mae: 0, n_samples: 80 });
    expect(Number.isFinite(metrics.r2)).toBe(true);
  });
});

describe('the fit step', () => {
  it('makes the same model in many slices as in one run', async () => {
    const whole = contextOf(0, 1);
    const done = await fitStep(whole.slice(), { split });
    expect(done).toMatchObject({ fit_done: true, model: { file: 'model.json' } });

    const sliced = contextOf(100, 700);
    let state: StepState = { split };
    let slices = 0;
    do {
      state = await fitStep(sliced.slice(), state);
      slices++;
    } while (state.fit_done === false && slices < 100);
    expect(slices).toBeGreaterThan(3);
    expect(state).not.toHaveProperty('checkpoint');
    expect(Buffer.from(sliced.files.get('model.json')!).toString()).toBe(
      Buffer.from(whole.files.get('model.json')!).toString(),
    );
  });

  it('says how far it is, ever further', async () => {
    const { slice, progress } = contextOf(60, 100_000);
    await fitStep(slice(), { split });
    expect(progress.length).toBeGreaterThan(0);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBeLessThan(0.8);
  });

  it('stops when the job has ended meanwhile', async () => {
    const { slice } = contextOf(600, 100_000);
    const context = slice();
    const ended = {
      ...context,
      jobs: { progress: () => Promise.reject(new Error('JOB_ENDED')) },
    } as unknown as StepContext;
    await expect(fitStep(ended, { split })).rejects.toThrow('JOB_ENDED');
  });
});
