import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClients } from '../../src/adapters/aws/document-client.ts';
import {
  DynamoDbPromotionIntents,
  intentReferenceText,
} from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { modelName, tenantA, tenantAb, tenantB } from '../support/tenants.ts';

let stores: LocalStores;
let clock: ManualClock;
let intents: DynamoDbPromotionIntents;

beforeAll(async () => {
  stores = await startLocalStores();
  clock = new ManualClock();
  intents = new DynamoDbPromotionIntents(documentClients(ownSessions), stores.names.IntentsTable, clock);
});
afterAll(() => stores?.stop());

/** What is open and older than half a minute, as tenant/model. */
async function overdue(): Promise<string[]> {
  const found = (await intents.waiting()).filter(({ ageMs }) => ageMs > 30_000);
  const named = await Promise.all(
    found.map(async ({ reference }) => {
      const owner = await intents.ownerOf(intentReferenceText(reference));
      return `${owner?.tenant}/${(await intents.read(reference))?.modelName}`;
    }),
  );
  return named.sort();
}

describe('PromotionIntents on DynamoDB', () => {
  it('is overdue only when it has been open for longer than a promotion takes', async () => {
    const id = await intents.open(tenantA, modelName('slow'));
    expect(await overdue()).toEqual([]);
    clock.advance(30_000);
    expect(await overdue()).toEqual([]);
    clock.advance(1);
    expect(await overdue()).toEqual(['aa/slow']);
    await intents.close(tenantA, modelName('slow'), id);
    expect(await overdue()).toEqual([]);
  });

  it('leads to the tenant that opened it, and nowhere once it is closed', async () => {
    const id = await intents.open(tenantAb, modelName('income'));
    clock.advance(31_000);
    const [{ reference } = { reference: undefined }] = await intents.waiting();
    const tenant = await TenantContext.fromJob(intents, intentReferenceText(reference!), 'r');
    expect(tenant.tenantId).toBe('aab');
    expect(await intents.read(reference!)).toEqual({ intentId: id, modelName: 'income' });
    await intents.close(tenantAb, modelName('income'), id);
    expect(await intents.read(reference!)).toBeUndefined();
    await expect(TenantContext.fromJob(intents, intentReferenceText(reference!), 'r')).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
  });

  it('closes nothing of another tenant, and nothing twice', async () => {
    const id = await intents.open(tenantA, modelName('mine'));
    clock.advance(31_000);
    for (const stranger of [tenantAb, tenantB]) await intents.close(stranger, modelName('mine'), id);
    await intents.close(tenantA, modelName('other'), id);
    await intents.close(tenantA, modelName('mine'), 'another id');
    expect(await overdue()).toEqual(['aa/mine']);
    await intents.close(tenantA, modelName('mine'), id);
    await intents.close(tenantA, modelName('mine'), id);
    expect(await overdue()).toEqual([]);
  });

  it('keeps the intent of a change that is still open when a later change of the model ends', async () => {
    const first = await intents.open(tenantA, modelName('twice'));
    const second = await intents.open(tenantA, modelName('twice'));
    await intents.close(tenantA, modelName('twice'), second);
    clock.advance(31_000);
    expect(await overdue()).toEqual(['aa/twice']);
    await intents.close(tenantA, modelName('twice'), first);
    expect(await overdue()).toEqual([]);
  });

  it('finds every overdue intent of every tenant', async () => {
    const opened = await Promise.all(
      [tenantA, tenantAb, tenantB].flatMap((tenant) =>
        ['m1', 'm2', 'm3'].map(async (model) => ({
          tenant,
          model: modelName(model),
          id: await intents.open(tenant, modelName(model)),
        })),
      ),
    );
    clock.advance(60_000);
    expect(await overdue()).toHaveLength(9);
    for (const { tenant, model, id } of opened) await intents.close(tenant, model, id);
    expect(await overdue()).toEqual([]);
  });
});
