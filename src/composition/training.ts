import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import type { JobId } from '../contracts/names.ts';
import { TrainingJobs, type TrainingParts } from '../training/training-jobs.ts';
import { jobStore, settingsStore } from './stores.ts';

export const trainingJobs = (parts: Pick<TrainingParts, 'dataset' | 'executions' | 'restartBatch'>) =>
  new TrainingJobs({
    ...parts,
    jobs: jobStore(),
    newJobId: () => ulid() as JobId,
    clock: systemClock,
    timeoutMinutes: config.trainingTimeoutMinutes,
    ownTimeoutMinutes: async (tenant) => (await settingsStore().read(tenant)).own.training_timeout_minutes,
  });
