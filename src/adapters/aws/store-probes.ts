import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../clock.ts';
import type { Health } from '../../contracts/platform.ts';
import { type DatabaseContacts, databaseCheck } from '../../monitoring/database-contact.ts';
import { itemKeys, objectKeys } from '../../tenancy/keys.ts';

type Check = Health['checks'][string];

const keptMs = 5_000;

/** Clients of what is asked, and its names. */
export interface ProbedStores {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly servingTable: string;
  readonly transientTable: string;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly contacts: Pick<DatabaseContacts, 'last'>;
}

/**
 * Asks what the platform stands on whether it answers; that nothing is there is an answer. Postgres is left asleep: of
 * it is said what its last user found.
 */
export class StoreProbes {
  readonly #stores: ProbedStores;
  readonly #clock: Clock;
  #latest: { readonly checks: Promise<Health['checks']>; readonly untilMs: number } | undefined;

  constructor(stores: ProbedStores, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
  }

  /** Asks at most once in five seconds, however often it is asked: the question is open to everybody. */
  run(): Promise<Health['checks']> {
    const nowMs = this.#clock.nowMs();
    if (this.#latest === undefined || nowMs >= this.#latest.untilMs)
      this.#latest = { checks: this.#ask(), untilMs: nowMs + keptMs };
    return this.#latest.checks;
  }

  async #ask(): Promise<Health['checks']> {
    const { s3, bucket, stepFunctions, stateMachineArn, servingTable, transientTable } = this.#stores;
    const [serving, store, cache, queue, database] = await Promise.all([
      this.#probe(() => this.#item(servingTable)),
      this.#probe(() =>
        s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: objectKeys.healthProbe, MaxKeys: 1 })),
      ),
      this.#probe(() => this.#item(transientTable)),
      this.#probe(() => stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn }))),
      this.#database(),
    ]);
    return { serving, store, cache, queue, database };
  }

  #item(table: string): Promise<unknown> {
    return this.#stores.dynamodb.send(new GetCommand({ TableName: table, Key: itemKeys.healthProbe }));
  }

  async #database(): Promise<Check> {
    try {
      return databaseCheck(await this.#stores.contacts.last(), this.#clock.nowMs());
    } catch {
      // Where it is kept does not answer, which is a check of its own.
      return { status: 'unknown' };
    }
  }

  async #probe(ask: () => Promise<unknown>): Promise<Check> {
    const startMs = this.#clock.nowMs();
    try {
      await ask();
      return { status: 'healthy', latency_ms: this.#clock.nowMs() - startMs };
    } catch (error) {
      const code = (error as { name?: string }).name ?? 'Error';
      return { status: 'unhealthy', latency_ms: this.#clock.nowMs() - startMs, code };
    }
  }
}
