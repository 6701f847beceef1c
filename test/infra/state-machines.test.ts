import aslValidator from 'asl-validator';
import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, it } from 'vitest';
import { type Definition, ingestDefinition, trainingDefinition } from '../../infra/state-machines.ts';

const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
const training = trainingDefinition(
  {
    trainerSmall: arn('trainer-small'),
    trainerMedium: arn('trainer-medium'),
    trainerLarge: arn('trainer-large'),
    registrar: arn('registrar'),
    closeJob: arn('close-job'),
  },
  35,
);
const ingest = ingestDefinition({ ingest: arn('ingest'), closeJob: arn('close-job') }, 15);
const trainingInput = { job_id: 'job-1', deadline: '2030-01-01T00:30:00.000Z', timeout_seconds: 1800 };

interface Call {
  readonly state: string;
  readonly function: string;
  // biome-ignore lint/suspicious/noExplicitAny: payloads differ by step
  readonly payload: any;
}

/** What a fake function answers; an Error makes the task fail under the error's name. */
type Answer = (payload: Call['payload'], attempt: number) => unknown;

interface Outcome {
  readonly calls: Call[];
  readonly error?: { name: string; message: string };
}

class StepError extends Error {
  constructor(name: string) {
    super(`${name} happened`);
    this.name = name;
  }
}

/** Runs a definition with fakes in place of functions and no pauses between retries. */
async function run(
  definition: Definition,
  answers: Record<string, Answer>,
  input: Record<string, unknown> = trainingInput,
): Promise<Outcome> {
  const calls: Call[] = [];
  const tasks = Object.entries(definition.States).filter(([, { Type }]) => Type === 'Task');
  const handlers = Object.fromEntries(
    tasks.map(([state]) => [
      state,
      async (request: { FunctionName: string; Payload: unknown }) => {
        const attempt = calls.filter((call) => call.state === state).length;
        calls.push({ state, function: request.FunctionName.split(':').at(-1)!, payload: request.Payload });
        const answer = answers[state]?.(request.Payload, attempt) ?? {};
        if (answer instanceof Error) throw answer;
        return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: answer };
      },
    ]),
  );
  const retries = Object.fromEntries(tasks.map(([state]) => [state, 0]));
  const machine = new StateMachine(forEmulator(definition) as never);
  const execution = machine.run(input as never, {
    overrides: { taskResourceLocalHandlers: handlers as never, retryIntervalOverrides: retries },
  });
  try {
    await execution.result;
    return { calls };
  } catch (error) {
    // The emulator wraps what the execution failed with.
    const { name, message } = (error as Error).cause as Error;
    return { calls, error: { name, message } };
  }
}

/** AWS reads TimeoutSecondsPath from the state's input; the emulator reads it from what Parameters made of that. */
function forEmulator(definition: Definition): unknown {
  const path = JSON.stringify('$$.Execution.Input.timeout_seconds');
  return JSON.parse(JSON.stringify(definition).replaceAll('"$.timeout_seconds"', () => path));
}

const states = ({ calls }: Outcome) => calls.map(({ state }) => state);

describe.each([
  ['training', training],
  ['ingest', ingest],
])('definition of %s', (_, definition) => {
  it('is valid Amazon States Language', () => {
    // A copy: the validator writes its defaults into what it is given.
    const { isValid, errorsText } = aslValidator(structuredClone(definition));
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  it('retries service errors and catches everything in every task', () => {
    for (const [name, state] of Object.entries(definition.States)) {
      if (state.Type !== 'Task') continue;
      expect(state.Retry, name).toContainEqual(
        expect.objectContaining({
          JitterStrategy: 'FULL',
          IntervalSeconds: 2,
          BackoffRate: 2,
          MaxAttempts: 3,
        }),
      );
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
      Split: (_payload, attempt) => (attempt < 2 ? new StepError('Lambda.TooManyRequestsException') : {}),
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
    for (const definition of [training, ingest]) {
      for (const [name, { Type, TimeoutSeconds, TimeoutSecondsPath }] of Object.entries(definition.States)) {
        if (Type === 'Task') expect(TimeoutSeconds ?? TimeoutSecondsPath, name).toBeDefined();
      }
    }
  });

  it('bounds every step of the trainer by the time limit of the job', () => {
    const trainer = ['Load', 'Validate', 'Split', 'Fit', 'Evaluate', 'Export'];
    for (const name of trainer) expect(training.States[name]?.TimeoutSecondsPath).toBe('$.timeout_seconds');
    expect(training.TimeoutSeconds).toBe(2100);
  });

  it('passes payloads that stay far below the 256 KB of a state', async () => {
    const facts = { text: 'x'.repeat(7500) };
    const bulky: Answer = () => ({ size: 'small', fit_done: true, decision: 'deploy', ...facts });
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
