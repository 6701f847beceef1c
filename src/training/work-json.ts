import type { StepContext } from './steps/step.ts';
import type { WorkFile, WorkFileRef } from './work-files.ts';

type Where = Pick<StepContext, 'tenant' | 'job' | 'workFiles'>;

/** Leaves a value for a later step of the job. */
export function writeJson(
  { tenant, job, workFiles }: Where,
  file: WorkFile,
  value: unknown,
): Promise<WorkFileRef> {
  return workFiles.put(tenant, job.job_id, file, Buffer.from(JSON.stringify(value)));
}

/** @returns what an earlier step of the job left */
export async function readJson<Value>({ tenant, job, workFiles }: Where, ref: WorkFileRef): Promise<Value> {
  const bytes = await workFiles.get(tenant, job.job_id, ref);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Value;
}
