import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { Health } from '../../contracts/platform.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';

/** Asks the stores of the serving plane whether they answer; that nothing is there is an answer. Postgres is left asleep. */
export class StoreProbes {
  readonly #table: { readonly client: DynamoDBDocumentClient; readonly name: string };
  readonly #bucket: { readonly client: S3Client; readonly name: string };
  readonly #clock: Clock;

  constructor(
    stores: {
      readonly table: { readonly client: DynamoDBDocumentClient; readonly name: string };
      readonly bucket: { readonly client: S3Client; readonly name: string };
    },
    clock: Clock,
  ) {
    this.#table = stores.table;
    this.#bucket = stores.bucket;
    this.#clock = clock;
  }

  async run(): Promise<Health['checks']> {
    const [dynamodb, s3] = await Promise.all([
      this.#probe(() =>
        this.#table.client.send(new GetCommand({ TableName: this.#table.name, Key: itemKeys.healthProbe })),
      ),
      this.#probe(() => {
        const { client, name } = this.#bucket;
        return client.send(
          new ListObjectsV2Command({ Bucket: name, Prefix: objectKeys.healthProbe, MaxKeys: 1 }),
        );
      }),
    ]);
    return { dynamodb, s3 };
  }

  async #probe(ask: () => Promise<unknown>): Promise<Health['checks'][string]> {
    const startMs = this.#clock.nowMs();
    try {
      await ask();
      return { status: 'healthy', latency_ms: this.#clock.nowMs() - startMs };
    } catch {
      return { status: 'unhealthy', latency_ms: this.#clock.nowMs() - startMs };
    }
  }
}
