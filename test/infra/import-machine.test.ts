import { describe, expect, it } from 'vitest';
import { type Answer, importing, run, StepError, states } from './support/run-machine.ts';

describe('import', () => {
  const input = { job_id: 'job-4', deadline: '2030-01-01T00:10:00.000Z', timeout_seconds: 600 };
  const answers = (decision: string): Record<string, Answer> => ({
    Inspect: () => ({ build_id: 'b', manifest_sha256: 'c' }),
    Register: ({ input: state }) => ({ ...(state as object), model_version: '1.0.0', decision }),
    Deploy: ({ input: state }) => state,
  });

  it('inspects, registers and deploys where that was asked for', async () => {
    const outcome = await run(importing, answers('deploy'), input);
    expect(outcome.error).toBeUndefined();
    expect(states(outcome)).toEqual(['Inspect', 'Register', 'Deploy', 'Complete']);
    expect(outcome.calls.at(-1)).toMatchObject({
      function: 'close-job',
      payload: { step: 'complete', input: { model_version: '1.0.0' } },
    });
    expect(states(await run(importing, answers('keep'), input))).toEqual(['Inspect', 'Register', 'Complete']);
  });

  it('closes the job with the code of a refusal, and registers nothing', async () => {
    const refused: Record<string, Answer> = {
      ...answers('deploy'),
      Inspect: () => new StepError('MODEL_PICKLED'),
    };
    const outcome = await run(importing, refused, input);
    expect(states(outcome)).toEqual(['Inspect', 'Failed']);
    expect(outcome.calls.at(-1)!.payload).toMatchObject({ step: 'fail', error: { Error: 'MODEL_PICKLED' } });
  });
});
