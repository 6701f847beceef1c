import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ListeningServer, listen } from '../aws/http.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { errorXml, toXml } from '../aws/xml.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import type { DeployedResource } from '../template/deployed-template.ts';
import { applyLifecycle } from './lifecycle.ts';
import { listObjectsV2, listObjectVersions } from './list-objects.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './multipart-upload.ts';
import { ObjectStore } from './object-store.ts';
import { readObject } from './read-object.ts';
import { header, parseTarget, requireBucket, type S3Request, sendEmpty, sendXml } from './s3-request.ts';
import { copyObject, deleteObject, deleteObjects, putObject } from './write-object.ts';

export interface S3ServerOptions {
  readonly directory: string;
  readonly registry: CredentialRegistry;
  readonly port?: number;
  onFailure(error: unknown): void;
}

const LIFECYCLE_INTERVAL_MS = 60 * 60 * 1000;
const MAX_KEY_BYTES = 1024;

/** The part of S3's REST API that the platform uses, path style, over an ObjectStore. */
export class S3Server {
  readonly #store: ObjectStore;
  readonly #options: S3ServerOptions;
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;
  #lifecycleTimer: NodeJS.Timeout | undefined;

  constructor(options: S3ServerOptions) {
    this.#options = options;
    this.#store = new ObjectStore(options.directory);
  }

  async start(): Promise<string> {
    this.#listening = await listen(
      (request, response) => void this.#serve(request, response),
      this.#options.port,
    );
    return this.#listening.url;
  }

  get port(): number {
    return this.#listening?.port ?? 0;
  }

  /** Creates the template's buckets and starts to answer by its policies. */
  deploy(buckets: readonly DeployedResource[], authorizer: Authorizer): void {
    this.#authorizer = authorizer;
    for (const bucket of buckets) {
      const versioning = bucket.properties.VersioningConfiguration as { Status?: string } | undefined;
      this.#store.createBucket(bucket.physicalId, versioning?.Status === 'Enabled');
    }
    const sweep = () => {
      for (const bucket of buckets) applyLifecycle(this.#store, bucket, Date.now());
    };
    sweep();
    this.#lifecycleTimer = setInterval(sweep, LIFECYCLE_INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#lifecycleTimer);
    await this.#listening?.close();
    this.#store.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-amz-request-id', randomUUID());
    try {
      await this.#dispatch(this.#authenticate(incoming, response));
    } catch (error) {
      this.#answerError(incoming, response, error);
    }
  }

  #authenticate(incoming: IncomingMessage, response: ServerResponse): S3Request {
    if (this.#authorizer === undefined) {
      throw new AwsServiceError('ServiceUnavailable', 'the twin is still starting', 503);
    }
    const target = parseTarget(incoming.url ?? '/');
    const caller = this.#options.registry.authenticate(
      { method: incoming.method ?? '', target: incoming.url ?? '/', headers: incoming.headers },
      's3',
      () => {
        throw new AwsServiceError(
          'InvalidRequest',
          'Missing required header for this request: x-amz-content-sha256',
        );
      },
    );
    if (target.bucket !== '' && this.#store.isVersioned(target.bucket) === undefined) {
      throw new AwsServiceError('NoSuchBucket', 'The specified bucket does not exist', 404, {
        BucketName: target.bucket,
      });
    }
    if (Buffer.byteLength(target.key) > MAX_KEY_BYTES) {
      throw new AwsServiceError('KeyTooLongError', 'Your key is too long');
    }
    return {
      ...target,
      method: incoming.method ?? '',
      incoming,
      response,
      principal: caller.principal,
      payloadHash: caller.payloadHash,
      store: this.#store,
      authorizer: this.#authorizer,
    };
  }

  #dispatch(request: S3Request): Promise<void> {
    const { query } = request;
    if (request.key !== '') {
      switch (request.method) {
        case 'GET':
        case 'HEAD':
          return readObject(request);
        case 'PUT':
          if (query.has('uploadId')) return uploadPart(request);
          return header(request, 'x-amz-copy-source') === undefined
            ? putObject(request)
            : copyObject(request);
        case 'DELETE':
          return query.has('uploadId') ? abortMultipartUpload(request) : deleteObject(request);
        case 'POST':
          if (query.has('uploads')) return createMultipartUpload(request);
          if (query.has('uploadId')) return completeMultipartUpload(request);
      }
    } else if (request.bucket !== '') {
      if (request.method === 'POST' && query.has('delete')) return deleteObjects(request);
      if (request.method === 'HEAD') return this.#headBucket(request);
      if (request.method === 'GET') return this.#getBucket(request);
    }
    throw new AwsServiceError(
      'NotImplemented',
      `${request.method} of this resource is not part of the local S3`,
      501,
    );
  }

  async #headBucket(request: S3Request): Promise<void> {
    await requireBucket(request, 'ListBucket');
    sendEmpty(request, 200, { 'x-amz-bucket-region': 'us-east-1' });
  }

  async #getBucket(request: S3Request): Promise<void> {
    const { query, store, bucket } = request;
    if (query.has('versioning')) {
      await requireBucket(request, 'GetBucketVersioning');
      const status = store.isVersioned(bucket) ? 'Enabled' : undefined;
      return sendXml(request, toXml('VersioningConfiguration', { Status: status }));
    }
    const context: Record<string, string> = {};
    for (const name of ['prefix', 'delimiter', 'max-keys']) {
      const value = query.get(name);
      if (value !== undefined) context[`s3:${name}`] = value;
    }
    if (query.has('versions')) {
      await requireBucket(request, 'ListBucketVersions', context);
      return sendXml(request, listObjectVersions(store, bucket, query));
    }
    if (query.get('list-type') === '2') {
      await requireBucket(request, 'ListBucket', context);
      return sendXml(request, listObjectsV2(store, bucket, query));
    }
    throw new AwsServiceError(
      'NotImplemented',
      'only ListObjectsV2, versions and versioning are read here',
      501,
    );
  }

  #answerError(incoming: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const known = error instanceof AwsServiceError;
    const wentAway = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!known && !wentAway) {
      this.#options.onFailure(error);
    }
    const failure = known
      ? error
      : new AwsServiceError('InternalError', 'We encountered an internal error.', 500);
    const xml = incoming.method === 'HEAD' ? '' : errorXml(failure.code, failure.message, failure.details);
    response.writeHead(failure.status, {
      'content-type': 'application/xml',
      'content-length': Buffer.byteLength(xml),
      // An unread body would otherwise be read to its end only to be dropped.
      ...(incoming.complete ? {} : { connection: 'close' }),
    });
    response.end(xml);
  }
}
