import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  batch,
  ingest,
  run,
  StepError,
  states,
  tasksOf,
  training,
  trainingInput,
} from './support/run-machine.ts';

describe.each([
  ['training', training],
  ['ingest', ingest],
  ['batch', batch],
])('definition of %s', (_, definition) => {
  it('is valid Amazon States Language', () => {
    // A copy: the validator writes its defaults into what it is given.
    const { isValid, errorsText } = aslValidator(structuredClone(definition));
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  it('retries service errors in every task, and catches everything in every task and Map', () => {
    for (const [name, state] of tasksOf(definition.States)) {
      expect(state.Retry, name).toContainEqual(
        expect.objectContaining({
          JitterStrategy: 'FULL',
          IntervalSeconds: 2,
          BackoffRate: 2,
          MaxAttempts: 3,
        }),
      );
    }
    for (const [name, state] of Object.entries(definition.States)) {
      if (state.Type !== 'Task' && state.Type !== 'Map') continue;
      expect(state.Catch, name).toContainEqual(expect.objectContaining({ ErrorEquals: ['States.ALL'] }));
    }
  });

  it('fits the 1 MB that a definition may have, many times over', () => {
    expect(JSON.stringify(definition).length).toBeLessThan(100_000);
  });

  it('uses JSONPath only', () => {
    expect(JSON.stringify(definition)).not.toMatch(/QueryLanguage|"\{%|waitForTaskToken/);
  });
});

describe('training', () => {
  const answers: Record<string, Answer> = {
    Load: () => ({ size: 'small', estimated_bytes: 1000 }),
    Split: () => ({ selects: false }),
    Fit: (_payload, attempt) => ({ fit_done: attempt === 2, slice: attempt }),
    PromotionGate: () => ({ decision: 'deploy' }),
  };

  it('walks from load to complete, fitting in as many slices as it takes', async () => {
    const outcome = await run(training, answers);
    expect(outcome.error).toBeUndefined();
    expect(states(outcome)).toEqual([
      'Load',
      'Validate',
      'Split',
      'Fit',
      'Fit',
      'Fit',
      'Evaluate',
      'Export',
      'Register',
      'PromotionGate',
      'Deploy',
      'Complete',
    ]);
  });

  it('hands each step its name, the job, the deadline and the bare answer of the step before', async () => {
    const { calls } = await run(training, answers);
    for (const { state, payload } of calls) {
      expect(payload.job_id, state).toBe('job-1');
      expect(payload.deadline, state).toBe(trainingInput.deadline);
    }
    expect(calls.map(({ payload }) => payload.step)).toEqual([
      'load',
      'validate',
      'split',
      'fit',
      'fit',
      'fit',
      'evaluate',
      'export',
      'register',
      'promotion-gate',
      'deploy',
      'complete',
    ]);
    expect(calls[0]?.payload.input).toEqual({});
    expect(calls[1]?.payload.input).toEqual({ size: 'small', estimated_bytes: 1000 });
    expect(calls[6]?.payload.input).toEqual({ fit_done: true, slice: 2 });
    expect(calls[10]?.payload.input).toEqual({ decision: 'deploy' });
  });

  it.each(['small', 'medium', 'large'])(
    'trains %s data on the trainer of that size, loading on the small one',
    async (size) => {
      const { calls } = await run(training, { ...answers, Load: () => ({ size }) });
      const workers = calls
        .filter(({ function: name }) => name.startsWith('trainer'))
        .map(({ function: name }) => name);
      expect(workers[0]).toBe('trainer-small');
      expect(new Set(workers.slice(1))).toEqual(new Set([`trainer-${size}`]));
    },
  );

  it('keeps the champion when the gate says so', async () => {
    const outcome = await run(training, {
      ...answers,
      PromotionGate: () => ({ decision: 'keep', reasons: ['auc'] }),
    });
    expect(states(outcome)).not.toContain('Deploy');
    expect(outcome.calls.at(-1)?.payload).toMatchObject({ step: 'complete', input: { decision: 'keep' } });
    expect(outcome.error).toBeUndefined();
  });

  it.each(['Load', 'Validate', 'Fit', 'Export', 'Register', 'Deploy', 'Complete'])(
    'closes the job with the code of the error when %s fails',
    async (state) => {
      const outcome = await run(training, { ...answers, [state]: () => new StepError('MIN_SAMPLES') });
      const last = outcome.calls.at(-1);
      expect(last).toMatchObject({
        state: 'Failed',
        function: 'close-job',
        payload: { step: 'fail', job_id: 'job-1', error: { Error: 'MIN_SAMPLES' } },
      });
      expect(outcome.error?.name).toBe('MIN_SAMPLES');
    },
  );

  it('waits for a database that resumes, up to six times', async () => {
    const outcome = await run(training, {
      ...answers,
      Register: (_payload, attempt) => (attempt < 6 ? new StepError('DATABASE_RESUMING') : {}),
    });
    expect(outcome.error).toBeUndefined();
    expect(states(outcome).filter((state) => state === 'Register')).toHaveLength(7);
    const tooLong = await run(training, { ...answers, Register: () => new StepError('DATABASE_RESUMING') });
    expect(tooLong.error?.name).toBe('DATABASE_RESUMING');
  });

  it('tries a throttled step again, and no failed one', async () => {
    const throttled = await run(training, {
      ...answers,
      Split: (_payload, attempt) =>
        attempt < 2 ? new StepError('Lambda.TooManyRequestsException') : { selects: false },
    });
    expect(throttled.error).toBeUndefined();
    const failed = await run(training, { ...answers, Split: () => new StepError('CONSTANT_TARGET') });
    expect(states(failed)).toEqual(['Load', 'Validate', 'Split', 'Failed']);
  });

  it('ends as failed with the first error even when the job cannot be closed', async () => {
    const outcome = await run(training, {
      ...answers,
      Split: () => new StepError('CONSTANT_TARGET'),
      Failed: () => new StepError('AccessDenied'),
    });
    expect(outcome.error?.name).toBe('CONSTANT_TARGET');
  });

  it('has a time limit in every task', () => {
    for (const definition of [training, ingest, batch]) {
      for (const [name, { TimeoutSeconds, TimeoutSecondsPath }] of tasksOf(definition.States)) {
        expect(TimeoutSeconds ?? TimeoutSecondsPath, name).toBeDefined();
      }
    }
  });

  it('bounds every step of the trainer by the time limit of the job', () => {
    const trainer = ['Load', 'Validate', 'Split', 'Plan', 'Choose', 'Fit', 'Evaluate', 'Export'];
    const tasks = new Map(tasksOf(training.States));
    for (const name of [...trainer, 'EvaluateCandidate']) {
      expect(tasks.get(name)?.TimeoutSecondsPath, name).toBe('$.timeout_seconds');
    }
    expect(training.TimeoutSeconds).toBe(2100);
  });

  it('passes payloads that stay far below the 256 KB of a state', async () => {
    const facts = { text: 'x'.repeat(7500) };
    const bulky: Answer = () => ({
      size: 'small',
      selects: false,
      fit_done: true,
      decision: 'deploy',
      ...facts,
    });
    const outcome = await run(
      training,
      Object.fromEntries(Object.keys(training.States).map((name) => [name, bulky])),
    );
    expect(outcome.error).toBeUndefined();
    // Each state holds the last answer only: what was passed to the last step is no larger than to the second.
    for (const { payload } of outcome.calls) expect(JSON.stringify(payload).length).toBeLessThan(8192);
  });
});

describe('ingest', () => {
  it('ingests and completes the job', async () => {
    const outcome = await run(ingest, { Ingest: () => ({ dataset: 'd' }) }, { job_id: 'job-2' });
    expect(outcome.calls.map(({ function: name, payload }) => [name, payload])).toEqual([
      ['ingest', { job_id: 'job-2' }],
      ['close-job', { step: 'complete', job_id: 'job-2', input: { dataset: 'd' } }],
    ]);
  });

  it('closes the job with the code of the error', async () => {
    const outcome = await run(
      ingest,
      { Ingest: () => new StepError('MALFORMED_SOURCE') },
      { job_id: 'job-2' },
    );
    expect(outcome.calls.at(-1)?.payload).toMatchObject({
      step: 'fail',
      error: { Error: 'MALFORMED_SOURCE' },
    });
    expect(outcome.error?.name).toBe('MALFORMED_SOURCE');
  });
});
