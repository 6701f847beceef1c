import type { Clock } from '../../clock.ts';
import type { JobId } from '../../contracts/names.ts';
import type { BatchFiles } from '../../serving/batch/batch-files.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { Executions, RunInput } from '../../training/executions.ts';
import { type JobStore, jobRetentionSeconds, type StoredJob } from '../../training/job-store.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';
import { SignedObjects } from './signed-objects.ts';

/** DynamoDB's wire form of what a job holds. */
type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly BOOL: boolean }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Readonly<Record<string, AttributeValue>> };

function attributeOf(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(attributeOf) };
  return { M: attributesOf(value as object) };
}

const attributesOf = (item: object): Record<string, AttributeValue> =>
  Object.fromEntries(
    Object.entries(item)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, attributeOf(value)]),
  );

/** What starts a batch job without the SDK: the rows, the job with its owner, and its run. */
export class SignedBatchStart
  implements Pick<JobStore, 'create'>, Pick<Executions, 'start'>, Pick<BatchFiles, 'putRows'>
{
  readonly #dynamodb: SignedClient;
  readonly #states: SignedClient;
  readonly #staging: SignedObjects;
  readonly #table: string;
  readonly #stateMachineArn: string;
  readonly #clock: Clock;

  constructor(settings: {
    region: string;
    jobsTable: string;
    stagingBucket: string;
    stateMachineArn: string;
    clock: Clock;
    endpoint: (service: 'S3' | 'DYNAMODB' | 'SFN') => string | undefined;
  }) {
    const { region, jobsTable, stagingBucket, stateMachineArn, clock, endpoint } = settings;
    this.#table = jobsTable;
    this.#stateMachineArn = stateMachineArn;
    this.#clock = clock;
    this.#dynamodb = new SignedClient(
      'dynamodb',
      endpoint('DYNAMODB') ?? `https://dynamodb.${region}.amazonaws.com`,
    );
    this.#states = new SignedClient('states', endpoint('SFN') ?? `https://states.${region}.amazonaws.com`);
    this.#staging = new SignedObjects({ region, bucket: stagingBucket, endpoint: endpoint('S3') });
  }

  putRows(tenant: TenantContext, job: JobId, rows: Uint8Array): Promise<void> {
    return this.#staging.put(tenant, objectKeys.batchRows(tenant, job), rows, 'application/json');
  }

  /** As the SDK's store writes it: the owner first. Sent again after a lost answer, it writes the same again. */
  async create(tenant: TenantContext, job: StoredJob): Promise<void> {
    const expires_at = Math.floor(this.#clock.nowMs() / 1000) + jobRetentionSeconds;
    const owner = { tenant: tenant.tenantId, subject: tenant.actor, expires_at };
    await this.#put({ ...itemKeys.jobOwner(job.job_id), ...owner }, ['tenant', tenant.tenantId]);
    const item = { ...itemKeys.job(tenant, job.job_id), ...job, expires_at };
    await this.#put(item, ['created_at', job.created_at]);
  }

  async start(jobId: string, input: RunInput): Promise<void> {
    try {
      await this.#send(this.#states, 'AWSStepFunctions.StartExecution', {
        stateMachineArn: this.#stateMachineArn,
        name: jobId,
        input: JSON.stringify(input),
      });
    } catch (error) {
      if ((error as Error).name !== 'ExecutionAlreadyExists') throw error;
    }
  }

  /** @param same what an item that stands there already has to hold */
  #put(item: object, [name, value]: readonly [string, string]): Promise<void> {
    return this.#send(this.#dynamodb, 'DynamoDB_20120810.PutItem', {
      TableName: this.#table,
      Item: attributesOf(item),
      ConditionExpression: `attribute_not_exists(pk) OR ${name} = :same`,
      ExpressionAttributeValues: { ':same': { S: value } },
    });
  }

  async #send(client: SignedClient, target: string, body: object): Promise<void> {
    const answer = await client.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
      body: JSON.stringify(body),
    });
    if (answer.status === 200) return;
    const { __type = '' } = JSON.parse(answer.body.toString('utf8') || '{}') as { __type?: string };
    const name = __type.split('#').at(-1) || 'AwsError';
    throw new AwsServiceError(name, answer.status, `${target} answered ${answer.status}`);
  }
}
