import { beforeEach, describe, expect, it } from 'vitest';
import { StoreProbes } from '../../../src/adapters/aws/store-probes.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A client that counts what it is sent, and fails when it is told to. */
class CountingClient {
  sent = 0;
  failure: Error | undefined;

  async send(): Promise<object> {
    this.sent++;
    if (this.failure !== undefined) throw this.failure;
    return {};
  }
}

let clock: ManualClock;
let clients: Record<'dynamodb' | 's3' | 'stepFunctions', CountingClient>;
let probes: StoreProbes;
let last: () => Promise<{ reached: boolean; atMs: number } | undefined>;

beforeEach(() => {
  clock = new ManualClock();
  clients = { dynamodb: new CountingClient(), s3: new CountingClient(), stepFunctions: new CountingClient() };
  last = async () => ({ reached: true, atMs: clock.nowMs() });
  const names = { servingTable: 's', transientTable: 't', bucket: 'b', stateMachineArn: 'm' };
  probes = new StoreProbes({ ...names, ...clients, contacts: { last: () => last() } } as never, clock);
});

const statuses = async () =>
  Object.fromEntries(Object.entries(await probes.run()).map(([name, { status }]) => [name, status]));
const healthy = {
  serving: 'healthy',
  store: 'healthy',
  cache: 'healthy',
  queue: 'healthy',
  database: 'healthy',
};

describe('the probes', () => {
  it('ask everything, and say of each whether it answers', async () => {
    expect(await statuses()).toEqual(healthy);
    expect([clients.dynamodb.sent, clients.s3.sent, clients.stepFunctions.sent]).toEqual([2, 1, 1]);
  });

  it.each([
    ['s3', { store: 'unhealthy' }],
    ['stepFunctions', { queue: 'unhealthy' }],
    ['dynamodb', { serving: 'unhealthy', cache: 'unhealthy' }],
  ] as const)('say it of %s alone, and why', async (name, expected) => {
    clients[name].failure = Object.assign(new Error('gone'), { name: 'ResourceNotFoundException' });
    expect(await statuses()).toEqual({ ...healthy, ...expected });
    const [failed] = Object.values(await probes.run()).filter(({ status }) => status === 'unhealthy');
    expect(failed!.code).toBe('ResourceNotFoundException');
  });

  it('know nothing of the database where its contacts cannot be read', async () => {
    last = async () => {
      throw new Error('DynamoDB is away');
    };
    expect(await statuses()).toEqual({ ...healthy, database: 'unknown' });
  });

  it('ask once in five seconds, however many want to know', async () => {
    await Promise.all(Array.from({ length: 100 }, () => probes.run()));
    clients.s3.failure = new Error('gone');
    clock.advance(4_999);
    expect(await statuses()).toEqual(healthy);
    expect(clients.s3.sent).toBe(1);
    clock.advance(1);
    expect((await statuses()).store).toBe('unhealthy');
  });
});
