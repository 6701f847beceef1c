import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import { DynamoDbJobStore } from '../../src/adapters/aws/dynamodb-job-store.ts';
import { DynamoDbRetrainingSchedules } from '../../src/adapters/aws/dynamodb-retraining-schedules.ts';
import type { ModelTrainingRequest } from '../../src/contracts/training.ts';
import type { Executions } from '../../src/training/executions.ts';
import {
  type DueSchedule,
  nextDue,
  type RetrainingSchedules,
  startDueTrainings,
} from '../../src/training/retraining-schedules.ts';
import { TrainingJobs } from '../../src/training/training-jobs.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { newJobId, sampleRequest } from '../support/samples.ts';
import { modelName, tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let stores: LocalStores;
let schedules: RetrainingSchedules;

beforeAll(async () => {
  stores = await startLocalStores();
  schedules = new DynamoDbRetrainingSchedules(documentClients(ownSessions), stores.names.JobsTable);
});
afterAll(() => stores?.stop());

const weekly = (model: string) => sampleRequest({ model_name: modelName(model), retrain_every_days: 7 });
const modelOf = ({ request }: DueSchedule): string => (request as ModelTrainingRequest).model_name;
const dueModels = async (now: string) => (await schedules.due(now)).map(modelOf).sort();
/** Nothing may fail in what these tests start. */
const onFailure = (_schedule: DueSchedule, error: unknown) => {
  throw error;
};

describe('RetrainingSchedules on DynamoDB', () => {
  it('is due from its time on, with the request that was set', async () => {
    await schedules.set(tenantA, weekly('first'), '2026-01-10T00:00:00.000Z');
    expect(await dueModels('2026-01-09T23:59:59.999Z')).toEqual([]);
    const due = await schedules.due('2026-01-10T00:00:00.000Z');
    expect(due).toMatchObject([{ request: weekly('first'), dueAt: '2026-01-10T00:00:00.000Z' }]);
    expect(due[0]!.owner).toEqual({ tenant: 'aa', subject: 'user-of-aa' });
  });

  it('has one schedule a model and tenant: setting it again replaces it', async () => {
    await schedules.set(tenantA, weekly('again'), '2026-02-01T00:00:00.000Z');
    await schedules.set(tenantA, { ...weekly('again'), retrain_every_days: 30 }, '2026-03-01T00:00:00.000Z');
    await schedules.set(tenantAb, weekly('again'), '2026-02-01T00:00:00.000Z');
    const due = (await schedules.due('2026-02-02T00:00:00.000Z')).filter(
      (schedule) => modelOf(schedule) === 'again',
    );
    expect(due).toHaveLength(1);
    expect(due[0]!.owner).toEqual({ tenant: 'aab', subject: 'user-of-aab' });
  });

  it('is moved by exactly one of twenty that see it due', async () => {
    await schedules.set(tenantB, weekly('raced'), '2026-04-01T00:00:00.000Z');
    const schedule = (await schedules.due('2026-04-01T00:00:00.000Z')).find(
      (candidate) => modelOf(candidate) === 'raced',
    )!;
    const moved = await Promise.all(
      Array.from({ length: 20 }, () => schedules.move(tenantB, schedule, '2026-04-08T00:00:00.000Z')),
    );
    expect(moved.filter(Boolean)).toHaveLength(1);
    expect(await dueModels('2026-04-07T00:00:00.000Z')).not.toContain('raced');
    expect(await dueModels('2026-04-08T00:00:00.000Z')).toContain('raced');
  });

  it('leads nowhere from a reference that nobody set', async () => {
    const reference = JSON.stringify({ pk: 'tenant/aa/', sk: 'schedule/never/' });
    const owner = { tenant: 'aa', subject: 'user-of-aa' };
    const ghost = { reference, owner, request: weekly('never'), dueAt: '2026-01-01T00:00:00.000Z' };
    expect(await schedules.move(tenantA, ghost, '2026-01-08T00:00:00.000Z')).toBe(false);
    expect(await dueModels('2027-01-01T00:00:00.000Z')).not.toContain('never');
  });
});

describe('ending a schedule', () => {
  it('is due no more, for its own tenant only, and may be ended twice', async () => {
    await schedules.set(tenantA, weekly('ended'), '2026-05-01T00:00:00.000Z');
    await schedules.clear(tenantB, modelName('ended'));
    expect(await dueModels('2026-05-02T00:00:00.000Z')).toContain('ended');
    await schedules.clear(tenantA, modelName('ended'));
    await schedules.clear(tenantA, modelName('ended'));
    expect(await dueModels('2026-05-02T00:00:00.000Z')).not.toContain('ended');
  });
});

describe('starting what is due', () => {
  it('starts each training once for its own tenant, and moves the schedule by its period', async () => {
    const clock = new ManualClock('2030-06-01T00:00:00.000Z');
    const planner = tenantNamed('planner');
    const jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, clock);
    const started: string[] = [];
    const executions: Executions = {
      start: async (jobId) => {
        started.push(jobId);
      },
      stop: async () => {},
    };
    const training = new TrainingJobs({
      jobs,
      executions,
      dataset: async () => undefined,
      newJobId: () => newJobId(),
      clock,
      timeoutMinutes: 30,
    });
    // What the tests before have set is due as well by now; it is not counted.
    await startDueTrainings({ schedules, jobs: training, clock, requestId: 'r', onFailure });
    clock.advance(1_000);
    await schedules.set(planner, weekly('planned'), nextDue(7, clock.nowMs() - 7 * 86_400_000));
    started.length = 0;
    const counts = await Promise.all(
      [1, 2, 3].map(() => startDueTrainings({ schedules, jobs: training, clock, requestId: 'r', onFailure })),
    );
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(1);
    expect(started).toHaveLength(1);
    const { items } = await jobs.list(planner, { limit: 10 });
    expect(items).toMatchObject([
      { job_id: started[0], trigger: 'schedule', model_name: 'planned', actor: 'user-of-planner' },
    ]);
    clock.advance(7 * 86_400_000 - 1);
    const before = await schedules.due(new Date(clock.nowMs()).toISOString());
    expect(before.map(modelOf)).not.toContain('planned');
    clock.advance(1);
    const after = await schedules.due(new Date(clock.nowMs()).toISOString());
    expect(after.map(modelOf)).toContain('planned');
  });

  it('starts the others when one cannot be started, and tries that one again when it is due next', async () => {
    const clock = new ManualClock('2031-06-01T00:00:00.000Z');
    const jobs = new DynamoDbJobStore(documentClients(ownSessions), stores.names.JobsTable, clock);
    const started: string[] = [];
    const training = new TrainingJobs({
      jobs,
      executions: { start: async (jobId) => void started.push(jobId), stop: async () => {} },
      dataset: async () => undefined,
      newJobId: () => newJobId(),
      clock,
      timeoutMinutes: 30,
    });
    await startDueTrainings({ schedules, jobs: training, clock, requestId: 'r', onFailure });
    clock.advance(1_000);
    const due = new Date(clock.nowMs()).toISOString();
    await schedules.set(tenantA, { ...weekly('broken'), test_size: 7 }, due);
    await schedules.set(tenantA, weekly('whole'), due);
    started.length = 0;
    const failed: string[] = [];
    const count = await startDueTrainings({
      schedules,
      jobs: training,
      clock,
      requestId: 'r',
      onFailure: (schedule) => failed.push(modelOf(schedule)),
    });
    expect({ count, started: started.length, failed }).toEqual({ count: 1, started: 1, failed: ['broken'] });
    expect(await dueModels(due)).not.toContain('broken');
    clock.advance(86_400_000);
    expect(await dueModels(new Date(clock.nowMs()).toISOString())).toContain('broken');
  });
});
