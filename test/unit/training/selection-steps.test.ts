import { beforeEach, describe, expect, it } from 'vitest';
import type { JobId } from '../../../src/contracts/names.ts';
import { ModelTrainingRequest } from '../../../src/contracts/training.ts';
import { type Table, withoutColumns } from '../../../src/ml/table.ts';
import type { JobFindings } from '../../../src/training/job-store.ts';
import { unlearntColumns } from '../../../src/training/selection-request.ts';
import { encodeSplit } from '../../../src/training/split-file.ts';
import { chooseStep, type Selection } from '../../../src/training/steps/choose.ts';
import { type Evaluation, evaluateStep } from '../../../src/training/steps/evaluate.ts';
import { evaluateCandidateStep } from '../../../src/training/steps/evaluate-candidate.ts';
import { fitStep, specOf } from '../../../src/training/steps/fit.ts';
import { type Plan, planStep } from '../../../src/training/steps/plan.ts';
import type { StepContext, StepState } from '../../../src/training/steps/step.ts';
import type { WorkFile, WorkFileRef } from '../../../src/training/work-files.ts';
import { datasetId } from '../../support/samples.ts';
import { randomTable } from '../ml/support/random-table.ts';

/** Steps of one job over a table, with files in memory and a clock that moves on with every look at it. */
class JobInMemory {
  readonly files: Uint8Array[] = [];
  readonly findings: JobFindings = {};
  readonly progress: number[] = [];
  readonly split: WorkFileRef & { n_train: number; n_test: number };
  readonly #table: Table;
  readonly #request: ModelTrainingRequest;
  #nowMs = 0;
  deadlineMs = 1e12;
  msPerLook = 0;
  sliceMs = 1;

  constructor(request: object, nRows = 300) {
    this.#table = randomTable({ target: 'binary', nRows });
    const nTrain = nRows * 0.8;
    this.#request = ModelTrainingRequest.parse({
      ...{ model_name: 'm', dataset_id: datasetId(), target: 'y', model_type: 'classification' },
      ...request,
    });
    const rows = Int32Array.from({ length: nRows }, (_, i) => i);
    const ref = this.#put(
      encodeSplit({ train: rows.subarray(0, nTrain), test: rows.subarray(nTrain) }),
      'split.bin',
    );
    this.split = { ...ref, n_train: nTrain, n_test: nRows - nTrain };
  }

  #put(bytes: Uint8Array, file: WorkFile): WorkFileRef {
    return { file, sha256: String(this.files.push(bytes) - 1), bytes: bytes.length };
  }

  context(): StepContext {
    const table = async () => this.#table;
    return {
      job: {
        ...{ job_id: 'job' as JobId, request: this.#request },
        ...{ created_at: new Date(0).toISOString(), deadline: new Date(this.deadlineMs).toISOString() },
      },
      stopAtMs: this.#nowMs + this.sliceMs,
      jobs: {
        progress: async (_t: unknown, _j: unknown, at: { progress: number }) =>
          void this.progress.push(at.progress),
        record: async (_t: unknown, _j: unknown, findings: JobFindings) =>
          void Object.assign(this.findings, findings),
      },
      workFiles: {
        put: async (_t: unknown, _j: unknown, file: WorkFile, bytes: Uint8Array) => this.#put(bytes, file),
        get: async (_t: unknown, _j: unknown, ref: WorkFileRef) => this.files[Number(ref.sha256)]!,
      },
      table: async () => withoutColumns(this.#table, unlearntColumns(this.#request)),
      tableWithFoldColumns: table,
      clock: {
        nowMs: () => {
          this.#nowMs += this.msPerLook;
          return this.#nowMs;
        },
      },
    } as unknown as StepContext;
  }

  read<Value>(ref: WorkFileRef): Value {
    return JSON.parse(Buffer.from(this.files[Number(ref.sha256)]!).toString()) as Value;
  }

  /** Plan, evaluations and choices until something is chosen, as the state machine runs them. */
  async selected(): Promise<{ state: StepState; slices: number; rounds: number }> {
    let state = await planStep(this.context(), { size: 'small', split: this.split });
    let slices = 0;
    let rounds = 0;
    do {
      rounds++;
      const results = [];
      for (const candidate of state.candidates!) {
        let item: StepState = { split: this.split, plan: state.plan!, candidate };
        do {
          item = await evaluateCandidateStep(this.context(), item);
          slices++;
        } while (item.candidate_done === false);
        results.push({ candidate, result: item.result! });
      }
      state = await chooseStep(this.context(), { ...state, results: results.reverse() });
    } while (state.selected === false);
    return { state, slices, rounds };
  }
}

let job: JobInMemory;
const leaderboardOf = (one: JobInMemory, state: StepState) =>
  one.read<Selection>(state.selection!).leaderboard.entries.map(({ seconds: _, ...entry }) => entry);

describe('auto, step by step', () => {
  beforeEach(() => {
    job = new JobInMemory({ algorithm: 'auto', cross_validation: { folds: 3 } });
  });

  it('plans the race as a file, of which the state has numbers only', async () => {
    const state = await planStep(job.context(), { size: 'small', split: job.split });
    const { race, candidates } = job.read<Plan>(state.plan!);
    expect(race).toMatchObject({ metric: 'log_loss', splitter: { kind: 'stratified', nSplits: 3 } });
    expect(state.candidates).toEqual(candidates.map((_, i) => i));
    expect(JSON.stringify(state).length).toBeLessThan(1_000);
  });

  it('ends with a leaderboard in the job, and fits, measures and compares the winner', async () => {
    const { state } = await job.selected();
    expect(state).not.toHaveProperty('results');
    const { algorithm, leaderboard, cross_validation } = job.findings;
    expect(leaderboard!.entries[0]!.rank).toBe(1);
    expect(leaderboard!.entries.filter(({ status }) => status === 'winner')).toEqual([
      expect.objectContaining({ algorithm }),
    ]);
    expect(leaderboard!.entries.map(({ role }) => role)).toEqual(expect.arrayContaining(['naive', 'linear']));
    expect(leaderboard!.over_naive).toBeGreaterThan(0);
    expect(leaderboard!.over_linear).toBeGreaterThanOrEqual(0);
    expect(cross_validation).toMatchObject({ kind: 'stratified', n_folds: 3 });
    expect(cross_validation!.cv_mean.log_loss).toBeGreaterThan(0);
    expect(Object.keys(cross_validation!.cv_std)).toEqual(Object.keys(cross_validation!.cv_mean));

    job.sliceMs = Number.POSITIVE_INFINITY;
    expect((await specOf(job.context(), state)).algorithm).toBe(algorithm);
    const fitted = await fitStep(job.context(), state);
    expect(job.read<{ algorithm: string }>(fitted.model!).algorithm).toBe(algorithm);
    const evaluated = await evaluateStep(job.context(), fitted);
    const { metrics, baselines } = job.read<Evaluation>(evaluated.evaluation!);
    expect(job.findings.baselines).toEqual(baselines);
    expect(baselines!.naive!.algorithm).toBe('baseline');
    expect(baselines!.linear!.algorithm).toBe('logistic_regression');
    expect(metrics.log_loss).toBeLessThan(baselines!.naive!.metrics.log_loss!);
  });

  it('ends with the same leaderboard in many slices', async () => {
    const whole = await job.selected();
    const sliced = new JobInMemory({ algorithm: 'auto', cross_validation: { folds: 3 } });
    Object.assign(sliced, { msPerLook: 40, sliceMs: 2_000 });
    const { state, slices } = await sliced.selected();
    expect(slices).toBeGreaterThan(whole.slices);
    expect(leaderboardOf(sliced, state)).toEqual(leaderboardOf(job, whole.state));
  });

  it('goes on without the candidates for which no time is left', async () => {
    // A look at the clock is 40 ms: the baselines and little else are measured within 60 % of 20 s.
    Object.assign(job, { msPerLook: 40, sliceMs: 1e9, deadlineMs: 20_000 });
    const { state } = await job.selected();
    const { entries } = job.read<Selection>(state.selection!).leaderboard;
    const late = entries.filter(({ error }) => error?.code === 'NO_TIME_LEFT');
    expect(late.length).toBeGreaterThan(0);
    expect(late.map(({ role }) => role)).not.toContain('naive');
    expect(entries[0]!.mean).toBeGreaterThan(0);
  });

  it('stops when the job has ended meanwhile', async () => {
    const state = await planStep(job.context(), { size: 'small', split: job.split });
    const context = job.context();
    const ended = { ...context, jobs: { progress: () => Promise.reject(new Error('JOB_ENDED')) } };
    await expect(
      evaluateCandidateStep(ended as unknown as StepContext, { ...state, candidate: 0 }),
    ).rejects.toThrow('JOB_ENDED');
  });
});

describe('a search, step by step', () => {
  const space = { C: { type: 'log_uniform', low: 1e-4, high: 10 } };

  it('goes from many on few rows to a few on all, and shows whom it left behind', async () => {
    job = new JobInMemory(
      { algorithm: 'logistic_regression', search: { method: 'halving', n_candidates: 6, space } },
      1_000,
    );
    const { state, rounds } = await job.selected();
    // Of 800 rows a fold trains on 640: a third of them is more than 200, a ninth is not.
    expect(rounds).toBe(2);
    const { leaderboard } = job.read<Selection>(state.selection!);
    expect(leaderboard.n_candidates).toBe(6);
    expect(leaderboard.entries.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(leaderboard.entries.slice(2).map(({ status, share }) => [status, share])).toEqual(
      Array.from({ length: 4 }, () => ['eliminated', 1 / 3]),
    );
    expect(leaderboard.entries.slice(0, 2).every(({ share }) => share === undefined)).toBe(true);
    expect(new Set(leaderboard.entries.map(({ id }) => id)).size).toBe(6);
  });

  it('has one rung where a share of the rows would be too few to tell candidates apart', async () => {
    job = new JobInMemory({
      algorithm: 'logistic_regression',
      search: { method: 'halving', n_candidates: 9, space },
    });
    expect((await job.selected()).rounds).toBe(1);
  });

  it('has as many candidates as asked, and what is held fixed in all of them', async () => {
    job = new JobInMemory({
      algorithm: 'logistic_regression',
      hyperparameters: { max_iter: 77 },
      search: { method: 'random', n_candidates: 4, space },
    });
    const { state } = await job.selected();
    const { leaderboard, chosen } = job.read<Selection>(state.selection!);
    expect(leaderboard.n_candidates).toBe(4);
    for (const { hyperparameters } of leaderboard.entries) expect(hyperparameters.max_iter).toBe(77);
    expect(chosen.hyperparameters.max_iter).toBe(77);
    expect(job.progress).toEqual([...job.progress].sort((a, b) => a - b));
    expect(job.progress.every((one) => one >= 0.1 && one < 0.7)).toBe(true);
  });
});

describe('cross-validation by groups', () => {
  it('does not learn from the group, and says when there are too few', async () => {
    const request = {
      cross_validation: { folds: 3, kind: 'group', group_column: 'city' },
      hyperparameters: {},
    };
    job = new JobInMemory({ ...request, algorithm: 'logistic_regression' });
    const { state } = await job.selected();
    expect(job.findings.cross_validation).toMatchObject({ kind: 'group', n_folds: 3 });
    job.sliceMs = Number.POSITIVE_INFINITY;
    const { model } = await fitStep(job.context(), state);
    const names = job.read<{ features: { name: string }[] }>(model!).features.map(({ name }) => name);
    expect(names).not.toContain('city');
    const few = new JobInMemory({
      algorithm: 'logistic_regression',
      cross_validation: { folds: 5, kind: 'group', group_column: 'constant' },
    });
    await expect(planStep(few.context(), { size: 'small', split: few.split })).rejects.toMatchObject({
      code: 'TOO_FEW_GROUPS',
    });
  });
});
