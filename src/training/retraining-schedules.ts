import { type Clock, isoAt } from '../clock.ts';
import type { ModelTrainingRequest } from '../contracts/training.ts';
import { type JobOwners, TenantContext } from '../tenancy/tenant-context.ts';
import type { TrainingJobs } from './training-jobs.ts';

export interface DueSchedule {
  /** Names the row; leads to its tenant. */
  readonly reference: string;
  readonly request: ModelTrainingRequest;
  readonly dueAt: string;
}

/** One row a model: train again, with this request, at this time. */
export interface RetrainingSchedules extends JobOwners {
  /** Sets or replaces the model's schedule. */
  set(tenant: TenantContext, request: ModelTrainingRequest, dueAt: string): Promise<void>;
  due(now: string): Promise<readonly DueSchedule[]>;
  /** Moves a schedule on. @returns false when another has moved it: its training is theirs */
  move(schedule: DueSchedule, nextDueAt: string): Promise<boolean>;
}

const dayMs = 24 * 60 * 60 * 1000;

export const nextDue = (request: ModelTrainingRequest, fromMs: number): string =>
  isoAt(fromMs + (request.retrain_every_days ?? 1) * dayMs);

/** Starts every training that is due. @returns how many were started */
export async function startDueTrainings(parts: {
  readonly schedules: RetrainingSchedules;
  readonly jobs: TrainingJobs;
  readonly clock: Clock;
  readonly requestId: string;
}): Promise<number> {
  const nowMs = parts.clock.nowMs();
  let started = 0;
  for (const schedule of await parts.schedules.due(isoAt(nowMs))) {
    // Moved first: two runs of this function start a training once, and a broken one does not start for ever.
    if (!(await parts.schedules.move(schedule, nextDue(schedule.request, nowMs)))) continue;
    const tenant = await TenantContext.fromJob(parts.schedules, schedule.reference, parts.requestId);
    await parts.jobs.startChecked(tenant, schedule.request, 'schedule');
    started++;
  }
  return started;
}
