import { ulid } from 'ulid';
import { systemClock } from '../clock.ts';
import { ImportService } from '../imports/import-service.ts';
import type { Executions } from '../training/executions.ts';
import { jobStore, uploadStore } from './stores.ts';

export const importService = (executions: Executions) =>
  new ImportService({
    ...{ uploads: uploadStore(), jobs: jobStore(), executions },
    ...{ newId: () => ulid(), clock: systemClock },
  });
