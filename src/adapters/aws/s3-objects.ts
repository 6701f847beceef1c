import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { TenantSessions } from '../../tenancy/credentials.ts';
import { isTenantKey } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { TenantClients } from './tenant-clients.ts';

export type S3Clients = TenantClients<S3Client>;

export function s3Clients(sessions: TenantSessions, more: S3ClientConfig = {}): S3Clients {
  const settings = { maxAttempts: 4, ...more };
  const own = new S3Client(settings);
  const { requestHandler } = own.config;
  return new TenantClients(
    own,
    sessions,
    (credentials) => new S3Client({ ...settings, credentials, requestHandler }),
  );
}

export const sha256Hex = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

const isAbsent = (error: unknown): boolean => {
  const { name } = error as { name?: string };
  return name === 'NoSuchKey' || name === 'NotFound';
};

/** The answer to a HEAD has no body that could name its error. */
const isDenied = (error: unknown): boolean =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403;

/** How long a link is to be good for. */
export interface LinkTime {
  readonly nowMs: number;
  readonly seconds: number;
  /** Where less will do: a link ends with the session that signs it. @default - all of `seconds` */
  readonly atLeastSeconds?: number;
}

export interface ObjectLink {
  readonly url: string;
  readonly expiresAtMs: number;
}

/** Few verbs over one bucket, each by the session of its tenant; keys come from `tenancy/keys.ts` only. */
export class S3Objects {
  readonly #clients: S3Clients;
  readonly #bucket: string;

  constructor(clients: S3Clients, bucket: string) {
    this.#clients = clients;
    this.#bucket = bucket;
  }

  async putBytes(
    tenant: TenantContext,
    key: string,
    body: Uint8Array | string,
    contentType = 'application/octet-stream',
  ): Promise<void> {
    const at = this.#at(tenant, key);
    const client = await this.#clients.of(tenant);
    await client.send(new PutObjectCommand({ ...at, Body: body, ContentType: contentType }));
  }

  /** @returns false when the key existed; then nothing was written */
  async createBytes(
    tenant: TenantContext,
    key: string,
    body: Uint8Array | string,
    contentType: string,
  ): Promise<boolean> {
    const at = this.#at(tenant, key);
    const client = await this.#clients.of(tenant);
    try {
      await client.send(
        new PutObjectCommand({ ...at, Body: body, ContentType: contentType, IfNoneMatch: '*' }),
      );
      return true;
    } catch (error) {
      if ((error as { name?: string }).name === 'PreconditionFailed') return false;
      throw error;
    }
  }

  async putFile(tenant: TenantContext, key: string, file: string): Promise<void> {
    const at = this.#at(tenant, key);
    const client = await this.#clients.of(tenant);
    const { size } = await stat(file);
    await client.send(new PutObjectCommand({ ...at, Body: createReadStream(file), ContentLength: size }));
  }

  getBytes(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    return this.#unlessMissing(tenant, key, async (client, at) => {
      const { Body } = await client.send(new GetObjectCommand(at));
      return Body!.transformToByteArray();
    });
  }

  /** @returns false when there is no such object */
  async getFile(tenant: TenantContext, key: string, toFile: string): Promise<boolean> {
    const got = await this.#unlessMissing(tenant, key, async (client, at) => {
      const { Body } = await client.send(new GetObjectCommand(at));
      await pipeline(Body as Readable, createWriteStream(toFile));
      return true;
    });
    return got ?? false;
  }

  sizeOf(tenant: TenantContext, key: string): Promise<number | undefined> {
    return this.#unlessMissing(tenant, key, async (client, at) => {
      const { ContentLength } = await client.send(new HeadObjectCommand(at));
      return ContentLength;
    });
  }

  async delete(tenant: TenantContext, key: string): Promise<void> {
    const at = this.#at(tenant, key);
    const client = await this.#clients.of(tenant);
    await client.send(new DeleteObjectCommand(at));
  }

  /** What lies one level below a prefix that ends in a slash, in order. */
  async folders(
    tenant: TenantContext,
    prefix: string,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ names: string[]; isLast: boolean }> {
    const { Bucket, Key } = this.#at(tenant, prefix);
    const client = await this.#clients.of(tenant);
    const listed = await client.send(
      new ListObjectsV2Command({
        ...{ Bucket, Prefix: Key, Delimiter: '/', MaxKeys: page.limit },
        // Past everything that starts with the last name of the page before: `0` follows `/`.
        ...(page.after === undefined ? {} : { StartAfter: `${prefix}${page.after}0` }),
      }),
    );
    return {
      names: (listed.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!.slice(prefix.length, -1)),
      isLast: listed.IsTruncated !== true,
    };
  }

  /** @returns an address at which whoever has it may read the object */
  linkToGet(
    tenant: TenantContext,
    key: string,
    time: LinkTime,
    answer: Omit<GetObjectCommandInput, 'Bucket' | 'Key'> = {},
  ): Promise<ObjectLink> {
    const command = new GetObjectCommand({ ...answer, ...this.#at(tenant, key) });
    return this.#link(tenant, time, (client, expiresIn) => getSignedUrl(client, command, { expiresIn }));
  }

  /** @returns an address at which whoever has it may write the object, of exactly the size that is said */
  linkToPut(
    tenant: TenantContext,
    key: string,
    time: LinkTime,
    what: Required<Pick<PutObjectCommandInput, 'ContentLength'>>,
  ): Promise<ObjectLink> {
    const command = new PutObjectCommand({ ...what, ...this.#at(tenant, key) });
    return this.#link(tenant, time, (client, expiresIn) =>
      getSignedUrl(client, command, {
        expiresIn,
        // Signed, so that no other size is taken.
        unhoistableHeaders: new Set(['content-length']),
        signableHeaders: new Set(['host', 'content-length']),
      }),
    );
  }

  async #link(
    tenant: TenantContext,
    { nowMs, seconds, atLeastSeconds = seconds }: LinkTime,
    sign: (client: S3Client, seconds: number) => Promise<string>,
  ): Promise<ObjectLink> {
    const { client, expiresAtMs } = await this.#clients.signing(tenant, atLeastSeconds * 1000);
    const granted = Math.max(1, Math.min(seconds, Math.floor((expiresAtMs - nowMs) / 1000)));
    return { url: await sign(client, granted), expiresAtMs: nowMs + granted * 1000 };
  }

  /**
   * S3 says that an object is missing only to who may list the whole bucket, and 403 to everyone else. A tenant may
   * list what is its own, which tells a missing object from one that may not be read.
   */
  async #unlessMissing<Value>(
    tenant: TenantContext,
    key: string,
    read: (client: S3Client, at: { Bucket: string; Key: string }) => Promise<Value>,
  ): Promise<Value | undefined> {
    const at = this.#at(tenant, key);
    const client = await this.#clients.of(tenant);
    try {
      return await read(client, at);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (!isDenied(error)) throw error;
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: at.Bucket, Prefix: key, MaxKeys: 1 }),
      );
      if (Contents[0]?.Key !== key) return undefined;
      throw Object.assign(error as Error, { name: 'AccessDenied' });
    }
  }

  #at(tenant: TenantContext, key: string): { Bucket: string; Key: string } {
    if (!isTenantKey(tenant, key)) throw new Error('a key leads out of its tenant');
    return { Bucket: this.#bucket, Key: key };
  }
}
