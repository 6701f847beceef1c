import type { Clock } from '../../clock.ts';
import type { JobId } from '../../contracts/names.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { BatchFiles } from '../../serving/batch/batch-files.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { Executions, RunInput } from '../../training/executions.ts';
import { type JobStore, jobRetentionSeconds, type StoredJob } from '../../training/job-store.ts';
import { AwsServiceError, type SignedClient } from './signed-client.ts';
import type { SignedObjects } from './signed-objects.ts';
import type { AttributeValue, Item, SignedTable } from './signed-table.ts';

function attributeOf(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(attributeOf) };
  return { M: attributesOf(value as object) };
}

const attributesOf = (item: object): Item =>
  Object.fromEntries(
    Object.entries(item)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, attributeOf(value)]),
  );

/** A job id that another tenant has. */
export class JobIdTakenError extends MLFrameworkError {
  constructor(jobId: string) {
    super('INTERNAL', `the job id ${jobId} is taken; send the request again`);
  }
}

/** What starts a batch job without the SDK: the rows, the job with its owner, and its run. */
export class SignedBatchStart
  implements Pick<JobStore, 'create'>, Pick<Executions, 'start'>, Pick<BatchFiles, 'putRows'>
{
  readonly #jobs: SignedTable;
  readonly #staging: SignedObjects;
  readonly #states: SignedClient;
  readonly #stateMachineArn: string;
  readonly #clock: Clock;

  constructor(parts: {
    readonly jobs: SignedTable;
    readonly staging: SignedObjects;
    readonly states: SignedClient;
    readonly stateMachineArn: string;
    readonly clock: Clock;
  }) {
    this.#jobs = parts.jobs;
    this.#staging = parts.staging;
    this.#states = parts.states;
    this.#stateMachineArn = parts.stateMachineArn;
    this.#clock = parts.clock;
  }

  putRows(tenant: TenantContext, job: JobId, rows: Uint8Array): Promise<void> {
    return this.#staging.put(tenant, objectKeys.batchRows(tenant, job), rows, 'application/json');
  }

  /**
   * As the SDK's store writes it: the owner first. Sent again after a lost answer, it writes the same again.
   * @throws {JobIdTakenError}
   */
  async create(tenant: TenantContext, job: StoredJob): Promise<void> {
    const expires_at = Math.floor(this.#clock.nowMs() / 1000) + jobRetentionSeconds;
    const isOurs = await this.#jobs.update('platform', itemKeys.jobOwner(job.job_id), {
      update: 'SET tenant = :tenant, subject = :subject, expires_at = :expires_at',
      condition: 'attribute_not_exists(pk) OR tenant = :tenant',
      values: {
        ':tenant': { S: tenant.tenantId },
        ':subject': { S: tenant.actor },
        ':expires_at': { N: String(expires_at) },
      },
    });
    if (!isOurs) throw new JobIdTakenError(job.job_id);
    await this.#jobs.put(tenant, itemKeys.job(tenant, job.job_id), attributesOf({ ...job, expires_at }));
  }

  async start(jobId: string, input: RunInput): Promise<void> {
    const { status, body } = await this.#states.send({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AWSStepFunctions.StartExecution',
      },
      body: JSON.stringify({
        stateMachineArn: this.#stateMachineArn,
        name: jobId,
        input: JSON.stringify(input),
      }),
    });
    if (status === 200) return;
    const { __type = '' } = JSON.parse(body.toString('utf8') || '{}') as { __type?: string };
    const name = __type.split('#').at(-1) || 'StepFunctionsError';
    if (name !== 'ExecutionAlreadyExists')
      throw new AwsServiceError(name, status, `Step Functions answered ${status}`);
  }
}
