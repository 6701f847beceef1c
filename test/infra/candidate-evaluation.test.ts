import { describe, expect, it } from 'vitest';
import { type Answer, run, StepError, states, training, trainingInput } from './support/run-machine.ts';

describe('training with candidates to choose from', () => {
  const plan = { file: 'plan.json', sha256: 'p'.repeat(64), bytes: 1 };
  const split = { file: 'split.bin', sha256: 's'.repeat(64), bytes: 1 };
  const refTo = (name: string) => ({ file: 'candidate.json', sha256: name.padEnd(64, '0'), bytes: 100 });
  const choosing: Record<string, Answer> = {
    Load: () => ({ size: 'medium' }),
    Split: () => ({ selects: true, split }),
    Plan: ({ input }) => ({ ...input, plan, candidates: [0, 1, 2], selected: false }),
    EvaluateCandidate: ({ input }) => ({
      ...input,
      candidate_done: true,
      result: refTo(String(input.candidate)),
    }),
    Choose: () => ({ split, selects: true, selected: true, selection: refTo('chosen') }),
    Fit: ({ input }) => ({ ...input, fit_done: true }),
    PromotionGate: () => ({ decision: 'keep' }),
  };

  it('evaluates each candidate, chooses by what came back, and fits what was chosen', async () => {
    const outcome = await run(training, choosing);
    expect(outcome.error).toBeUndefined();
    expect(states(outcome)).toEqual([
      'Load',
      'Validate',
      'Split',
      'Plan',
      'EvaluateCandidate',
      'EvaluateCandidate',
      'EvaluateCandidate',
      'Choose',
      'Fit',
      'Evaluate',
      'Export',
      'Register',
      'PromotionGate',
      'Complete',
    ]);
    const evaluations = outcome.calls.filter(({ state }) => state === 'EvaluateCandidate');
    expect(evaluations.map(({ payload }) => payload)).toEqual(
      [0, 1, 2].map((candidate) => ({
        step: 'evaluate-candidate',
        job_id: 'job-1',
        deadline: trainingInput.deadline,
        input: { split, plan, candidate },
      })),
    );
    expect(evaluations.every(({ function: name }) => name === 'trainer-medium')).toBe(true);
    expect(outcome.calls.find(({ state }) => state === 'Choose')?.payload.input).toEqual({
      selects: true,
      split,
      plan,
      candidates: [0, 1, 2],
      selected: false,
      results: [0, 1, 2].map((candidate) => ({ candidate, result: refTo(String(candidate)) })),
    });
    expect(outcome.calls.find(({ state }) => state === 'Fit')?.payload.input).toMatchObject({
      selection: refTo('chosen'),
    });
  });

  it('evaluates a candidate in as many slices as it takes, each from the checkpoint of the last', async () => {
    const slices = new Map<number, number>();
    const outcome = await run(training, {
      ...choosing,
      EvaluateCandidate: ({ input }) => {
        const slice = (slices.get(input.candidate) ?? 0) + 1;
        slices.set(input.candidate, slice);
        expect(input.checkpoint).toEqual(slice === 1 ? undefined : refTo(`checkpoint${slice - 1}`));
        return slice <= input.candidate
          ? { ...input, candidate_done: false, checkpoint: refTo(`checkpoint${slice}`) }
          : { ...input, candidate_done: true, result: refTo('done') };
      },
    });
    expect(outcome.error).toBeUndefined();
    expect(Object.fromEntries(slices)).toEqual({ 0: 1, 1: 2, 2: 3 });
  });

  it('goes round again when the choice asks for more evaluations', async () => {
    const outcome = await run(training, {
      ...choosing,
      Choose: (_payload, attempt) =>
        attempt === 0 ? { split, plan, candidates: [0], selected: false } : { selected: true, split },
    });
    expect(states(outcome).slice(3, 10)).toEqual([
      'Plan',
      'EvaluateCandidate',
      'EvaluateCandidate',
      'EvaluateCandidate',
      'Choose',
      'EvaluateCandidate',
      'Choose',
    ]);
  });

  it('closes the job with the code of the error of any candidate', async () => {
    const outcome = await run(training, {
      ...choosing,
      EvaluateCandidate: ({ input }) =>
        input.candidate === 1
          ? new StepError('JOB_ENDED')
          : { ...input, candidate_done: true, result: refTo('x') },
    });
    expect(outcome.calls.at(-1)).toMatchObject({
      state: 'Failed',
      payload: { step: 'fail', job_id: 'job-1', error: { Error: 'JOB_ENDED' } },
    });
    expect(outcome.error?.name).toBe('JOB_ENDED');
  });

  it('goes on without a candidate whose function dies', async () => {
    const outcome = await run(training, {
      ...choosing,
      EvaluateCandidate: ({ input }) =>
        input.candidate === 1
          ? new StepError('Runtime.ExitError')
          : { ...input, candidate_done: true, result: refTo('x') },
    });
    expect(outcome.error).toBeUndefined();
    expect(outcome.calls.find(({ state }) => state === 'Choose')?.payload.input.results).toEqual([
      { candidate: 0, result: refTo('x') },
      { candidate: 1, crash: 'Runtime.ExitError' },
      { candidate: 2, result: refTo('x') },
    ]);
  });

  it('passes a hundred candidates far below the 256 KB of a state', async () => {
    const outcome = await run(training, {
      ...choosing,
      Plan: ({ input }) => ({
        ...input,
        plan,
        candidates: Array.from({ length: 100 }, (_, i) => i),
        selected: false,
      }),
    });
    const chosen = outcome.calls.find(({ state }) => state === 'Choose')!;
    expect(chosen.payload.input.results).toHaveLength(100);
    expect(JSON.stringify(chosen.payload).length).toBeLessThan(32 * 1024);
  });
});
