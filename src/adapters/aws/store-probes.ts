import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { Health } from '../../contracts/platform.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';
import type { S3Objects } from './s3-objects.ts';

/** Asks the stores of the serving plane whether they answer; that nothing is there is an answer. Postgres is left asleep. */
export class StoreProbes {
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

  async run(): Promise<Health['checks']> {
    const [dynamodb, s3] = await Promise.all([
      this.#probe(() =>
        this.#client.send(new GetCommand({ TableName: this.#table, Key: itemKeys.healthProbe })),
      ),
      this.#probe(() => this.#objects.getBytes(objectKeys.healthProbe)),
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
