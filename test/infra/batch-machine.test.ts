import { describe, expect, it } from 'vitest';
import { type Answer, batch, run, StepError, states } from './support/run-machine.ts';

describe('batch', () => {
  const input = {
    job_id: 'job-3',
    deadline: '2030-01-01T01:00:00.000Z',
    timeout_seconds: 3600,
    pinned: true,
  };
  const result = { format: 'csv', bytes: 10, sha256: 'a'.repeat(64), n_rows: 250, n_failed_rows: 1 };
  const answers: Record<string, Answer> = {
    Plan: () => ({ n_rows: 250, rows_per_part: 100, parts: [0, 1, 2] }),
    Assemble: () => ({ result }),
  };

  it('scores each part by its number, then joins what they left and closes the job with it', async () => {
    const outcome = await run(batch, answers, input);
    expect(outcome.error).toBeUndefined();
    expect(states(outcome)).toEqual(['Plan', 'ScorePart', 'ScorePart', 'ScorePart', 'Assemble', 'Complete']);
    const scored = outcome.calls.filter(({ state }) => state === 'ScorePart');
    expect(scored.map(({ payload }) => payload)).toEqual(
      [0, 1, 2].map((part) => ({
        step: 'score',
        job_id: 'job-3',
        deadline: input.deadline,
        input: { n_rows: 250, rows_per_part: 100, part },
      })),
    );
    expect(outcome.calls.at(-2)?.payload.input).toEqual({
      n_rows: 250,
      rows_per_part: 100,
      parts: [0, 1, 2],
    });
    expect(outcome.calls.at(-1)).toMatchObject({
      function: 'close-job',
      payload: { step: 'complete', job_id: 'job-3', input: { result } },
    });
  });

  it('asks the registry for a version only where it is not pinned, and waits for a database that resumes', async () => {
    const outcome = await run(
      batch,
      { ...answers, ResolveVersion: (_, attempt) => (attempt < 2 ? new StepError('DATABASE_RESUMING') : {}) },
      { ...input, pinned: false },
    );
    expect(outcome.error).toBeUndefined();
    expect(outcome.calls.slice(0, 4).map(({ state, function: name }) => [state, name])).toEqual([
      ['ResolveVersion', 'registrar'],
      ['ResolveVersion', 'registrar'],
      ['ResolveVersion', 'registrar'],
      ['Plan', 'batch'],
    ]);
  });

  it.each(['Runtime.ExitError', 'Sandbox.Timedout', 'Lambda.Unknown'])(
    'runs a part again whose function ended with %s, up to three times',
    async (error) => {
      const dies = (times: number): Answer => {
        let deaths = 0;
        return ({ input: { part } }) => {
          if (part !== 1 || deaths === times) return {};
          deaths += 1;
          return new StepError(error);
        };
      };
      expect((await run(batch, { ...answers, ScorePart: dies(3) }, input)).error).toBeUndefined();
      const failed = await run(batch, { ...answers, ScorePart: dies(4) }, input);
      expect(failed.error?.name).toBe(error);
    },
  );

  it.each(['ResolveVersion', 'Plan', 'ScorePart', 'Assemble', 'Complete'])(
    'closes the job with the code of the error when %s fails, without trying again',
    async (state) => {
      const outcome = await run(
        batch,
        { ...answers, [state]: () => new StepError('DATASET_DAMAGED') },
        { ...input, pinned: false },
      );
      expect(outcome.calls.at(-1)).toMatchObject({
        state: 'Failed',
        function: 'close-job',
        payload: { step: 'fail', job_id: 'job-3', error: { Error: 'DATASET_DAMAGED' } },
      });
      expect(outcome.error?.name).toBe('DATASET_DAMAGED');
    },
  );

  it('needs no parts where the last step does all of the work', async () => {
    const outcome = await run(
      batch,
      { ...answers, Plan: () => ({ n_rows: 3, rows_per_part: 3, parts: [] }) },
      input,
    );
    expect(states(outcome)).toEqual(['Plan', 'Assemble', 'Complete']);
  });

  it('passes five hundred parts in less than 8 kB', async () => {
    const parts = Array.from({ length: 500 }, (_, part) => part);
    const outcome = await run(
      batch,
      { ...answers, Plan: () => ({ n_rows: 100_000_000, rows_per_part: 200_000, parts }) },
      input,
    );
    expect(states(outcome).filter((state) => state === 'ScorePart')).toHaveLength(500);
    for (const { payload } of outcome.calls) expect(JSON.stringify(payload).length).toBeLessThan(8192);
  });
});
