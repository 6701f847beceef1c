import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
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
import { isConditionFailure } from './document-client.ts';
import type { S3Objects } from './s3-objects.ts';

const linkSeconds = 60 * 60;
const daySeconds = 24 * 60 * 60;

/** The file of an upload is not there (any more). */
export class UploadIncompleteError extends MLFrameworkError {
  constructor() {
    super('UPLOAD_INCOMPLETE', 'the uploaded file is gone; ask for a new link and send it again');
  }
}

/** Uploads as items of the table of jobs and objects of the staging bucket, which forgets everything after a day. */
export class StagingUploadStore implements UploadStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #objects: S3Objects;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, table: string, objects: S3Objects, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#objects = objects;
    this.#clock = clock;
  }

  async create(tenant: TenantContext, upload: Upload | ModelUpload): Promise<PresignedPut> {
    const nowMs = this.#clock.nowMs();
    await this.#client.send(
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
    const command = new PutObjectCommand({
      Bucket: this.#objects.bucket,
      Key: objectKeys.upload(tenant, upload.uploadId),
      ContentLength: upload.sizeBytes,
    });
    const url = await getSignedUrl(this.#objects.client, command, {
      expiresIn: linkSeconds,
      // Signed, so that the link takes a file of exactly the size that was said.
      unhoistableHeaders: new Set(['content-length']),
      signableHeaders: new Set(['host', 'content-length']),
    });
    return {
      url,
      headers: { 'content-length': String(upload.sizeBytes) },
      expiresAtMs: nowMs + linkSeconds * 1000,
    };
  }

  async get(tenant: TenantContext, uploadId: UploadId): Promise<Upload | ModelUpload | undefined> {
    const { Item } = await this.#client.send(
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
    return this.#objects.sizeOf(objectKeys.upload(tenant, upload.uploadId));
  }

  async claim(tenant: TenantContext, uploadId: UploadId, jobId: JobId): Promise<JobId> {
    try {
      await this.#client.send(
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
    if (!(await this.#objects.getFile(objectKeys.upload(tenant, upload.uploadId), toFile)))
      throw new UploadIncompleteError();
  }

  async read(tenant: TenantContext, upload: PendingUpload): Promise<Uint8Array> {
    const bytes = await this.#objects.getBytes(objectKeys.upload(tenant, upload.uploadId));
    if (bytes === undefined) throw new UploadIncompleteError();
    return bytes;
  }

  async discard(tenant: TenantContext, upload: PendingUpload): Promise<void> {
    await this.#objects.client.send(
      new DeleteObjectCommand({
        Bucket: this.#objects.bucket,
        Key: objectKeys.upload(tenant, upload.uploadId),
      }),
    );
  }
}
