import { JobId } from '../contracts/names.ts';
import type { EventPublisher } from '../registry/event-publisher.ts';
import { TenantContext } from '../tenancy/tenant-context.ts';
import type { JobEnd, JobStore } from './job-store.ts';
import type { StepState } from './steps/step.ts';

/** What the machines send when a job ends, and what the bus says when a run of a machine ends otherwise. */
export type CloseJobEvent =
  | {
      readonly step: 'complete';
      readonly job_id: string;
      readonly input: StepState & {
        readonly dataset_id?: string;
        readonly result?: Extract<JobEnd['result'], object>;
      };
    }
  | {
      readonly step: 'fail';
      readonly job_id: string;
      readonly error: { readonly Error: string; readonly Cause?: string };
    }
  | { readonly 'detail-type': string; readonly detail: { readonly name: string; readonly status: string } };

const timeouts = new Set(['States.Timeout', 'States.HeartbeatTimeout', 'TIMED_OUT']);

/** @returns code and message of what a state machine caught: a code of ours, or that the function died */
export function caughtError({ Error: name, Cause: cause = '' }: { Error: string; Cause?: string }) {
  let message = cause;
  try {
    message = (JSON.parse(cause) as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    // Not JSON: the cause is the message.
  }
  if (timeouts.has(name))
    return { code: 'TIMED_OUT', message: message || 'the job did not end by its deadline' };
  const isOurs = /^[A-Z][A-Z0-9_]+$/.test(name);
  return isOurs
    ? { code: name, message }
    : {
        code: 'STEP_CRASHED',
        message:
          'the function of a step ended without an answer; start again, with fewer rows if it ran out of memory',
      };
}

function endOf(event: CloseJobEvent): { jobId: string; end: JobEnd } {
  if ('detail' in event) {
    const { name, status } = event.detail;
    return status === 'TIMED_OUT'
      ? {
          jobId: name,
          end: {
            status: 'timed_out',
            error: { code: 'TIMED_OUT', message: 'the job did not end by its deadline' },
          },
        }
      : {
          jobId: name,
          end: {
            status: 'failed',
            error: {
              code: 'RUN_STOPPED',
              message: `the run of the job was stopped (${status.toLowerCase()}); start it again`,
            },
          },
        };
  }
  if (event.step === 'fail') {
    const error = caughtError(event.error);
    return {
      jobId: event.job_id,
      end: { status: error.code === 'TIMED_OUT' ? 'timed_out' : 'failed', error },
    };
  }
  const { model_version, metrics, decision, reasons, dataset_id, result } = event.input;
  return {
    jobId: event.job_id,
    end: {
      status: 'completed',
      ...(model_version === undefined ? {} : { modelVersion: model_version }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(decision === undefined ? {} : { promotion: { decision, reasons: [...(reasons ?? [])] } }),
      ...(dataset_id === undefined ? {} : { datasetId: dataset_id }),
      ...(result === undefined ? {} : { result }),
    },
  };
}

/** Ends a job, once; whoever comes second changes nothing and tells nobody. */
export async function closeJob(
  event: CloseJobEvent,
  { jobs, events }: { jobs: JobStore; events: EventPublisher },
  requestId: string,
): Promise<void> {
  const { jobId, end } = endOf(event);
  const tenant = await TenantContext.fromJob(jobs, jobId, requestId);
  const id = JobId.parse(jobId);
  const before = await jobs.get(tenant, id);
  const error =
    end.error !== undefined && before?.step !== undefined ? { ...end.error, step: before.step } : end.error;
  const ended = await jobs.end(tenant, id, error === undefined ? end : { ...end, error });
  if (!ended || before?.kind !== 'training') return;
  await events.publish(tenant, {
    type: end.status === 'completed' ? 'ml.training.completed' : 'ml.training.failed',
    subject: before.model_name ?? jobId,
    data: {
      job_id: jobId,
      model_name: before.model_name,
      status: end.status,
      model_version: end.modelVersion,
      metrics: end.metrics,
      promotion: end.promotion,
      error,
    },
  });
}
