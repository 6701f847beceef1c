import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { eventPublisher } from '../../src/composition/events.ts';
import { jobStore } from '../../src/composition/stores.ts';
import { type CloseJobEvent, closeJob } from '../../src/training/close-job.ts';

const parts = { jobs: jobStore(), events: eventPublisher() };

export const handler = stepFunction<CloseJobEvent & { job_id?: string }, object>(async (event, context) => {
  await closeJob(event, parts, context.awsRequestId);
  return {};
});
