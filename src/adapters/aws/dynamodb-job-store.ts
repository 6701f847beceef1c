import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, isoAt } from '../../clock.ts';
import type { JobId } from '../../contracts/names.ts';
import { itemKeys, jobPrefix } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import {
  type JobEnd,
  JobEndedError,
  type JobFindings,
  type JobStore,
  jobRetentionSeconds,
  type Page,
  type StoredJob,
} from '../../training/job-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { conditionHeld, type DocumentClients, isConditionFailure } from './document-client.ts';

const notEnded = '#status IN (:queued, :running)';
const live = { ':queued': 'queued', ':running': 'running' };

/** Jobs in the table of jobs; a job id leads to its owner by an item of its own. */
export class DynamoDbJobStore implements JobStore {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(clients: DocumentClients, table: string, clock: Clock) {
    this.#clients = clients;
    this.#table = table;
    this.#clock = clock;
  }

  async ownerOf(jobId: string): Promise<{ tenant: string; subject: string } | undefined> {
    const { Item } = await this.#clients.own.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.jobOwner(jobId), ConsistentRead: true }),
    );
    return Item === undefined
      ? undefined
      : { tenant: Item.tenant as string, subject: Item.subject as string };
  }

  async create(tenant: TenantContext, job: StoredJob): Promise<void> {
    const expires_at = Math.floor(this.#clock.nowMs() / 1000) + jobRetentionSeconds;
    // It leads from a job to its tenant, and is nobody's.
    await this.#clients.own.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.jobOwner(job.job_id),
          tenant: tenant.tenantId,
          subject: tenant.actor,
          expires_at,
        },
        // Once more by the same tenant, when a call ended between the two writes.
        ConditionExpression: 'attribute_not_exists(pk) OR tenant = :tenant',
        ExpressionAttributeValues: { ':tenant': tenant.tenantId },
      }),
    );
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: { ...itemKeys.job(tenant, job.job_id), ...job, expires_at },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  }

  async get(tenant: TenantContext, jobId: JobId): Promise<StoredJob | undefined> {
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.job(tenant, jobId), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : jobOf(Item);
  }

  async list(tenant: TenantContext, page: { limit: number; cursor?: string }): Promise<Page<StoredJob>> {
    const pk = itemKeys.partition(tenant);
    const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, /^job\/[0-9A-Z]{26}\/$/);
    const client = await this.#clients.of(tenant);
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :jobs)',
        ExpressionAttributeValues: { ':pk': pk, ':jobs': jobPrefix },
        // Job ids are ULIDs, so key order is time order.
        ScanIndexForward: false,
        Limit: page.limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
      }),
    );
    return {
      items: Items.map(jobOf),
      ...(LastEvaluatedKey === undefined ? {} : { nextCursor: encodeCursor(LastEvaluatedKey.sk as string) }),
    };
  }

  async progress(tenant: TenantContext, jobId: JobId, at: { step: string; progress: number }): Promise<void> {
    const now = isoAt(this.#clock.nowMs());
    const assignments =
      '#status = :running, step = :step, updated_at = :now, started_at = if_not_exists(started_at, :now)';
    const values = { ':step': at.step, ':now': now };
    const advanced = await this.#updateLive(tenant, jobId, {
      set: `${assignments}, progress = :progress`,
      only: 'progress <= :progress',
      values: { ...values, ':progress': at.progress },
    });
    if (advanced) return;
    // Ended, or further already: then the step is news, and the progress is not.
    if (!(await this.#updateLive(tenant, jobId, { set: assignments, values }))) {
      throw new JobEndedError(jobId);
    }
  }

  async record(tenant: TenantContext, jobId: JobId, findings: JobFindings): Promise<void> {
    const given = Object.entries(findings).filter(([, value]) => value !== undefined);
    const recorded = await this.#updateLive(tenant, jobId, {
      set: ['updated_at = :now', ...given.map(([name]) => `#${name} = :${name}`)].join(', '),
      names: Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
      values: {
        ':now': isoAt(this.#clock.nowMs()),
        ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
      },
    });
    if (!recorded) throw new JobEndedError(jobId);
  }

  async finishPart(tenant: TenantContext, jobId: JobId, part: number): Promise<readonly number[]> {
    try {
      const client = await this.#clients.of(tenant);
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.job(tenant, jobId),
          // A set: whoever adds a number that is in it changes nothing.
          UpdateExpression: 'SET updated_at = :now ADD parts_done :part',
          ConditionExpression: notEnded,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ...live,
            ':now': isoAt(this.#clock.nowMs()),
            ':part': new Set([part]),
          },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return [...(Attributes!.parts_done as Set<number>)];
    } catch (error) {
      if (isConditionFailure(error)) throw new JobEndedError(jobId);
      throw error;
    }
  }

  /** @returns false when the job has ended, or when `only` does not hold */
  async #updateLive(
    tenant: TenantContext,
    jobId: JobId,
    update: {
      set: string;
      only?: string;
      names?: Record<string, string>;
      values: Record<string, unknown>;
    },
  ): Promise<boolean> {
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.job(tenant, jobId),
          UpdateExpression: `SET ${update.set}`,
          ConditionExpression: update.only === undefined ? notEnded : `${notEnded} AND ${update.only}`,
          ExpressionAttributeNames: { '#status': 'status', ...update.names },
          ExpressionAttributeValues: { ...live, ...update.values },
        }),
      ),
    );
  }

  async end(tenant: TenantContext, jobId: JobId, end: JobEnd): Promise<boolean> {
    const facts: Record<string, unknown> = {
      status: end.status,
      error: end.error,
      model_version: end.modelVersion,
      dataset_id: end.datasetId,
      metrics: end.metrics,
      promotion: end.promotion,
      result: end.result,
      ended_at: isoAt(this.#clock.nowMs()),
      updated_at: isoAt(this.#clock.nowMs()),
      ...(end.status === 'completed' ? { progress: 1 } : {}),
    };
    const given = Object.entries(facts).filter(([, value]) => value !== undefined);
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.job(tenant, jobId),
          UpdateExpression: `SET ${given.map(([name]) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: notEnded,
          ExpressionAttributeNames: Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
          ExpressionAttributeValues: {
            ...live,
            ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
          },
        }),
      ),
    );
  }
}

function jobOf(item: Record<string, unknown>): StoredJob {
  const { pk: _pk, sk: _sk, expires_at: _expiresAt, parts_done, ...job } = item;
  return {
    ...job,
    ...(parts_done === undefined ? {} : { parts_done: [...(parts_done as Set<number>)] }),
  } as unknown as StoredJob;
}
