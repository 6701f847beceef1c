import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetId, JobId, ModelName, TenantId, UploadId } from '../../../src/contracts/names.ts';
import { isTenantKey, itemKeys, objectKeys } from '../../../src/tenancy/keys.ts';
import { tenantA, tenantAb, tenantNamed } from '../../support/tenants.ts';

/** Names as close to each other and to trouble as the patterns allow. */
const tenantName = fc
  .string({ unit: fc.constantFrom('a', 'b', '0', '-'), minLength: 2, maxLength: 6 })
  .filter((name) => TenantId.safeParse(name).success);
const model = fc
  .string({ unit: fc.constantFrom('a', 'B', '.', '_', '-', '0'), minLength: 1, maxLength: 8 })
  .filter((name) => ModelName.safeParse(name).success)
  .map((name) => ModelName.parse(name));
const ulidText = fc.string({
  unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
  minLength: 26,
  maxLength: 26,
});
const dataset = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 })
  .map((id) => DatasetId.parse(id));

const allKeys = fc
  .record({ tenant: tenantName, model, id: ulidText, dataset })
  .map(({ tenant, model: name, id, dataset: data }) => {
    const t = tenantNamed(tenant);
    const job = JobId.parse(id);
    return {
      tenant,
      objects: [
        objectKeys.datasets(t),
        objectKeys.datasetManifest(t, data),
        objectKeys.datasetParquet(t, data, data),
        objectKeys.upload(t, UploadId.parse(id)),
        objectKeys.jobFile(t, job, 'model.json', 'f'.repeat(64)),
        objectKeys.modelFile(t, name, 'build', 'model.onnx'),
        objectKeys.batchPart(t, job, { from: 0, count: 100 }),
        objectKeys.batchRows(t, job),
        objectKeys.batchResult(t, job, 'csv'),
        objectKeys.batchManifest(t, job),
      ],
      items: [
        itemKeys.servingPointer(t, name),
        itemKeys.servingPointer(t, name, 'staging'),
        itemKeys.promotionIntent(t, name, id),
        itemKeys.job(t, job),
        itemKeys.upload(t, UploadId.parse(id)),
        itemKeys.schedule(t, name),
      ],
    };
  });

describe('keys', () => {
  it('of one tenant are never under the prefix of another', () => {
    fc.assert(
      fc.property(allKeys, allKeys, (one, other) => {
        fc.pre(one.tenant !== other.tenant);
        for (const key of other.objects) {
          expect(key.startsWith(`tenants/${one.tenant}/`)).toBe(false);
          expect(isTenantKey(tenantNamed(one.tenant), key)).toBe(false);
        }
        for (const { pk } of other.items) {
          expect(pk).not.toBe(itemKeys.partition(tenantNamed(one.tenant)));
          expect(pk.startsWith(itemKeys.partition(tenantNamed(one.tenant)))).toBe(false);
        }
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  it('lie under the prefix of their own tenant, climb nowhere, and end parts with a separator', () => {
    fc.assert(
      fc.property(allKeys, ({ tenant, objects, items }) => {
        for (const key of objects) {
          expect(isTenantKey(tenantNamed(tenant), key)).toBe(true);
          expect(key.split('/')).not.toContain('..');
          expect(key).not.toMatch(/\/\/|^\/|\s/);
        }
        for (const { pk, sk } of items) {
          expect(pk).toBe(`tenant/${tenant}/`);
          expect(sk.endsWith('/')).toBe(true);
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('of different kinds and names are different', () => {
    fc.assert(
      fc.property(model, model, ulidText, (one, other, id) => {
        fc.pre(one !== other);
        const keys = [one, other].flatMap((name) => [
          itemKeys.schedule(tenantA, name).sk,
          itemKeys.promotionIntent(tenantA, name, id).sk,
          itemKeys.servingPointer(tenantA, name).sk,
          itemKeys.servingPointer(tenantA, name, 'development').sk,
          itemKeys.servingPointer(tenantA, name, 'staging').sk,
        ]);
        const kinds = [
          ...keys,
          itemKeys.job(tenantA, JobId.parse(id)).sk,
          itemKeys.upload(tenantA, UploadId.parse(id)).sk,
        ];
        expect(new Set(kinds).size).toBe(kinds.length);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it.each([
    'tenants/aa/../aab/x',
    'tenants/aab/x',
    'tenants/aa',
    '/tenants/aa/x',
    'platform/x',
    '',
    'Tenants/aa/x',
  ])('do not include %j for tenant aa', (key) => {
    expect(isTenantKey(tenantA, key)).toBe(false);
  });

  it('of the platform are no key of a tenant', () => {
    expect(itemKeys.predictionIdKey.pk.startsWith('tenant/')).toBe(false);
    expect(itemKeys.jobOwner('01ARZ3NDEKTSV4RRFFQ69G5FAV').pk).not.toContain(itemKeys.partition(tenantAb));
  });
});
