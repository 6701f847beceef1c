import { JobEndedError } from '../../training/job-store.ts';
import { assemble } from './assemble.ts';
import {
  type BatchParts,
  type BatchState,
  type BatchStepContext,
  type BatchStepEvent,
  type BatchStepName,
  beginBatchStep,
} from './batch-step.ts';
import { plan } from './plan.ts';
import { score } from './score.ts';

const steps: Readonly<
  Record<BatchStepName, (context: BatchStepContext, state: BatchState) => Promise<BatchState>>
> = { plan, score, assemble };

/** Runs one step of a batch prediction. */
export async function runBatchStep(
  event: BatchStepEvent,
  parts: BatchParts,
  requestId: string,
): Promise<BatchState> {
  const { tenant, job } = await beginBatchStep(parts, event, requestId);
  // The machine lets nothing run before the version is known.
  if (job.pinned === undefined) throw new JobEndedError(job.job_id);
  return steps[event.step]({ ...parts, tenant, job: { ...job, pinned: job.pinned } }, event.input);
}
