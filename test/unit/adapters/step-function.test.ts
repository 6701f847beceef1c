import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { stepFunction } from '../../../src/adapters/aws/lambda/step-function.ts';
import { MLFrameworkError } from '../../../src/errors.ts';
import { lambdaContext } from '../../support/http-event.ts';

// Powertools read this when they load: with it they write to the global console.
vi.hoisted(() => {
  process.env.POWERTOOLS_DEV = 'true';
});

class MalformedDataError extends MLFrameworkError {
  constructor() {
    super('MALFORMED_DATA', 'row 7: "jane@example.org" is no number');
  }
}

const lines: string[] = [];

const event = { job_id: 'job-1', step: 'fit' };

const stepOf = (work: () => Promise<object>) => stepFunction<{ job_id: string; step: string }, object>(work);

beforeAll(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => void lines.push(args.join(' ')));
  }
});
afterAll(() => {
  vi.restoreAllMocks();
});
beforeEach(() => {
  lines.length = 0;
});

describe('a step of a state machine', () => {
  it('logs one line when it is done, with its time', async () => {
    const step = stepOf(async () => ({ fit_done: true }));
    expect(await step(event, lambdaContext)).toEqual({ fit_done: true });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 'INFO',
        message: 'step done',
        job_id: 'job-1',
        step: 'fit',
        duration_ms: expect.any(Number),
      }),
    ]);
    expect(JSON.parse(lines[0] as string).duration_ms).toBeGreaterThanOrEqual(0);
  });

  it('tells the machine why it failed, and the log only the code: the message may quote the data', async () => {
    const step = stepOf(() => Promise.reject(new MalformedDataError()));
    await expect(step(event, lambdaContext)).rejects.toMatchObject({
      name: 'MALFORMED_DATA',
      message: expect.stringContaining('jane@example.org'),
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'WARN', message: 'step failed', code: 'MALFORMED_DATA', step: 'fit' }),
    ]);
    expect(lines.join()).not.toContain('jane');
  });

  it('logs a failure that nobody foresaw in full, and tells the machine nothing of it', async () => {
    const step = stepOf(() => Promise.reject(new TypeError('x is not a function')));
    await expect(step(event, lambdaContext)).rejects.toMatchObject({ name: 'INTERNAL' });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'ERROR', error: { name: 'TypeError' } });
  });
});
