import { type Clock, isoAt } from '../clock.ts';
import type { ModelName } from '../contracts/names.ts';
import { ModelTrainingRequest } from '../contracts/training.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import type { TrainingJobs } from './training-jobs.ts';

export interface DueSchedule {
  /** Names the row. */
  readonly reference: string;
  /** Whose it is, as the authenticated call wrote it that set the schedule. */
  readonly owner: { readonly tenant: string; readonly subject: string };
  /** As it was stored: a training request, perhaps of an older release. */
  readonly request: unknown;
  readonly dueAt: string;
}

/** One row a model: train again, with this request, at this time. */
export interface RetrainingSchedules {
  /** Sets or replaces the model's schedule. */
  set(tenant: TenantContext, request: ModelTrainingRequest, dueAt: string): Promise<void>;
  /** Ends the model's schedule; without one it does nothing. */
  clear(tenant: TenantContext, model: ModelName): Promise<void>;
  /** Everything that is due. */
  due(now: string): Promise<readonly DueSchedule[]>;
  /** Moves a schedule on. @returns false when another has moved it: its training is theirs */
  move(tenant: TenantContext, schedule: DueSchedule, nextDueAt: string): Promise<boolean>;
}

const dayMs = 24 * 60 * 60 * 1000;

export const nextDue = (everyDays: number, fromMs: number): string => isoAt(fromMs + everyDays * dayMs);

/**
 * Starts every training that is due. One that cannot be started keeps no other from it: it is reported, and
 * tried again when it is due next.
 * @returns how many were started
 */
export async function startDueTrainings(parts: {
  readonly schedules: RetrainingSchedules;
  readonly jobs: TrainingJobs;
  readonly clock: Clock;
  readonly requestId: string;
  readonly onFailure: (schedule: DueSchedule, error: unknown) => void;
}): Promise<number> {
  const nowMs = parts.clock.nowMs();
  let started = 0;
  for (const schedule of await parts.schedules.due(isoAt(nowMs))) {
    try {
      const parsed = ModelTrainingRequest.safeParse(schedule.request);
      const everyDays = parsed.data?.retrain_every_days ?? 1;
      const tenant = await TenantContext.fromJob(
        { ownerOf: async () => schedule.owner },
        ...([schedule.reference, parts.requestId] as const),
      );
      // Moved first: two runs of this function start a training once, and a broken one does not start for ever.
      if (!(await parts.schedules.move(tenant, schedule, nextDue(everyDays, nowMs)))) continue;
      if (!parsed.success) throw parsed.error;
      await parts.jobs.startChecked(tenant, parsed.data, 'schedule');
      started++;
    } catch (error) {
      parts.onFailure(schedule, error);
    }
  }
  return started;
}
