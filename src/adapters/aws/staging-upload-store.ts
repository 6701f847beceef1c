import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { JobId, UploadId } from '../../contracts/names.ts';
import {
  type ModelUpload,
  type PendingUpload,
  type PresignedPut,
  type Upload,
  UploadNotFoundError,
  type UploadStore,
} from '../../data/upload-store.ts';
import { MLFrameworkError } from '../../errors.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { type DocumentClients, isConditionFailure } from './document-client.ts';
import type { S3Objects } from './s3-objects.ts';

/** An hour where the session that signs has one left. */
const linkSeconds = 60 * 60;
const atLeastSeconds = 30 * 60;
const daySeconds = 24 * 60 * 60;

/** The file of an upload is not there (any more). */
export class UploadIncompleteError extends MLFrameworkError {
  constructor() {
    super('UPLOAD_INCOMPLETE', 'the uploaded file is gone; ask for a new link and send it again');
  }
}

/** Uploads as items of the table of jobs and objects of the staging bucket, which forgets everything after a day. */
export class StagingUploadStore implements UploadStore {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #objects: S3Objects;
  readonly #clock: Clock;

  constructor(clients: DocumentClients, table: string, objects: S3Objects, clock: Clock) {
    this.#clients = clients;
    this.#table = table;
    this.#objects = objects;
    this.#clock = clock;
  }

  async create(tenant: TenantContext, upload: Upload | ModelUpload): Promise<PresignedPut> {
    const nowMs = this.#clock.nowMs();
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: {
          ...itemKeys.upload(tenant, upload.uploadId),
          upload,
          expires_at: Math.floor(nowMs / 1000) + daySeconds,
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    const link = await this.#objects.linkToPut(
      tenant,
      objectKeys.upload(tenant, upload.uploadId),
      { nowMs, seconds: linkSeconds, atLeastSeconds },
      { ContentLength: upload.sizeBytes },
    );
    return { ...link, headers: { 'content-length': String(upload.sizeBytes) } };
  }

  async get(tenant: TenantContext, uploadId: UploadId): Promise<Upload | ModelUpload | undefined> {
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(
      new GetCommand({
        TableName: this.#table,
        Key: itemKeys.upload(tenant, uploadId),
        ConsistentRead: true,
      }),
    );
    if (Item === undefined) return undefined;
    return { ...(Item.upload as Upload | ModelUpload), jobId: Item.job_id as JobId | undefined };
  }

  arrivedBytes(tenant: TenantContext, upload: PendingUpload): Promise<number | undefined> {
    return this.#objects.sizeOf(tenant, objectKeys.upload(tenant, upload.uploadId));
  }

  async claim(tenant: TenantContext, uploadId: UploadId, jobId: JobId): Promise<JobId> {
    try {
      const client = await this.#clients.of(tenant);
      await client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.upload(tenant, uploadId),
          UpdateExpression: 'SET job_id = :job',
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(job_id)',
          ExpressionAttributeValues: { ':job': jobId },
        }),
      );
      return jobId;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      const owner = (await this.get(tenant, uploadId))?.jobId;
      if (owner === undefined) throw new UploadNotFoundError(uploadId);
      return owner;
    }
  }

  async fetch(tenant: TenantContext, upload: PendingUpload, toFile: string): Promise<void> {
    if (!(await this.#objects.getFile(tenant, objectKeys.upload(tenant, upload.uploadId), toFile)))
      throw new UploadIncompleteError();
  }

  async read(tenant: TenantContext, upload: PendingUpload): Promise<Uint8Array> {
    const bytes = await this.#objects.getBytes(tenant, objectKeys.upload(tenant, upload.uploadId));
    if (bytes === undefined) throw new UploadIncompleteError();
    return bytes;
  }

  async discard(tenant: TenantContext, upload: PendingUpload): Promise<void> {
    await this.#objects.delete(tenant, objectKeys.upload(tenant, upload.uploadId));
  }
}
