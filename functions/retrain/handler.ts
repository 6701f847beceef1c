import { logger } from '../../src/adapters/aws/lambda/observability.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { trainingExecutions } from '../../src/composition/executions.ts';
import { schedules } from '../../src/composition/stores.ts';
import { trainingJobs } from '../../src/composition/training.ts';
import { startDueTrainings } from '../../src/training/retraining-schedules.ts';

const jobs = trainingJobs({
  executions: trainingExecutions(),
  // What a schedule starts was checked when it was set.
  dataset: async () => undefined,
});

export const handler = stepFunction<object, { started: number }>(async (_event, context) => ({
  started: await startDueTrainings({
    schedules: schedules(),
    jobs,
    clock: systemClock,
    requestId: context.awsRequestId,
    onFailure: ({ reference }, error) =>
      logger.error('a scheduled training did not start', { reference, error: error as Error }),
  }),
}));
