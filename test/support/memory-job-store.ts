import { type Clock, isoAt } from '../../src/clock.ts';
import type { JobId } from '../../src/contracts/names.ts';
import { terminalStatuses } from '../../src/contracts/training.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import {
  type JobEnd,
  JobEndedError,
  type JobFindings,
  type JobStore,
  type StoredJob,
} from '../../src/training/job-store.ts';

/** Jobs in memory, for what works with a job store; the store itself is tested in `test/contract`. */
export class MemoryJobStore implements JobStore {
  readonly #clock: Clock;
  readonly #jobs = new Map<string, { tenant: string; job: StoredJob }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async ownerOf(jobId: string) {
    const found = this.#jobs.get(jobId);
    return found === undefined ? undefined : { tenant: found.tenant, subject: found.job.actor };
  }

  async create(tenant: TenantContext, job: StoredJob) {
    this.#jobs.set(job.job_id, { tenant: tenant.tenantId, job });
  }

  async get(tenant: TenantContext, jobId: JobId) {
    const found = this.#jobs.get(jobId);
    return found?.tenant === tenant.tenantId ? found.job : undefined;
  }

  async list(tenant: TenantContext) {
    const items = [...this.#jobs.values()].filter((one) => one.tenant === tenant.tenantId);
    return { items: items.map(({ job }) => job) };
  }

  async progress(tenant: TenantContext, jobId: JobId, at: { step: string; progress: number }) {
    const job = await this.#live(tenant, jobId);
    if (job === undefined) throw new JobEndedError(jobId);
    const now = isoAt(this.#clock.nowMs());
    await this.create(tenant, {
      ...job,
      step: at.step,
      progress: Math.max(job.progress, at.progress),
      status: 'running',
      started_at: job.started_at ?? now,
      updated_at: now,
    });
  }

  async record(tenant: TenantContext, jobId: JobId, findings: JobFindings) {
    const job = await this.#live(tenant, jobId);
    if (job === undefined) throw new JobEndedError(jobId);
    await this.create(tenant, { ...job, ...findings, updated_at: isoAt(this.#clock.nowMs()) });
  }

  async finishPart(tenant: TenantContext, jobId: JobId, part: number) {
    const job = await this.#live(tenant, jobId);
    if (job === undefined) throw new JobEndedError(jobId);
    const parts_done = [...new Set([...(job.parts_done ?? []), part])];
    await this.create(tenant, { ...job, parts_done, updated_at: isoAt(this.#clock.nowMs()) });
    return parts_done;
  }

  async end(tenant: TenantContext, jobId: JobId, end: JobEnd) {
    const job = await this.#live(tenant, jobId);
    if (job === undefined) return false;
    const { modelVersion, datasetId, metrics, ...rest } = end;
    await this.create(tenant, {
      ...job,
      ...rest,
      ...(modelVersion === undefined ? {} : { model_version: modelVersion }),
      ...(datasetId === undefined ? {} : { dataset_id: datasetId }),
      ...(metrics === undefined ? {} : { metrics: { ...metrics } }),
      ended_at: isoAt(this.#clock.nowMs()),
    });
    return true;
  }

  async #live(tenant: TenantContext, jobId: JobId) {
    const job = await this.get(tenant, jobId);
    return job === undefined || terminalStatuses.includes(job.status) ? undefined : job;
  }
}
