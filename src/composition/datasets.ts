/** Makes the dataset service from the deployment's settings. */
import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import { ingestTimeoutMinutes } from '../contracts/time-limits.ts';
import { DatasetService } from '../data/dataset-service.ts';
import type { Executions } from '../training/executions.ts';
import { openDuckDb } from './duckdb.ts';
import { datasetStore, jobStore, uploadStore } from './stores.ts';

export const datasetService = (executions: Executions) =>
  new DatasetService({
    datasets: datasetStore(),
    uploads: uploadStore(),
    jobs: jobStore(),
    executions,
    openEngine: openDuckDb,
    newId: () => ulid(),
    clock: systemClock,
    ingestTimeoutMinutes,
  });
