import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskArtifactTier } from '../../../../src/adapters/disk/disk-artifact-tier.ts';
import type { TenantContext } from '../../../../src/tenancy/tenant-context.ts';
import { tenantA, tenantAb } from '../../../support/tenants.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tier-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const artifact = (name: string, nBytes: number) => {
  const bytes = Buffer.alloc(nBytes, name);
  return { bytes, ref: { key: `models/${name}`, sha256: createHash('sha256').update(bytes).digest('hex') } };
};
const a = artifact('a', 40);
const b = artifact('b', 40);
const c = artifact('c', 40);

/** Asks for an artifact, and waits until it is written. @returns where it came from */
async function get(tier: DiskArtifactTier, { bytes, ref }: typeof a, tenant: TenantContext = tenantA) {
  const found = await tier.get(tenant, ref, async () => bytes);
  await tier.written();
  expect(Buffer.from(found!.bytes)).toEqual(bytes);
  return found!.source;
}
const path = ({ ref }: typeof a, tenant: TenantContext = tenantA) =>
  join(folder, tenant.tenantId, ref.sha256);

describe('DiskArtifactTier', () => {
  it('fetches once, then reads what it kept', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    expect([await get(tier, a), await get(tier, a)]).toEqual(['store', 'disk']);
    expect(tier.figures()).toMatchObject({ usedBytes: 40, files: 1, hits: 1, misses: 1 });
  });

  it('keeps equal bytes of two tenants apart', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    await get(tier, a, tenantA);
    expect(await get(tier, a, tenantAb)).toBe('store');
    expect(readdirSync(folder).sort()).toEqual([tenantA.tenantId, tenantAb.tenantId].sort());
    expect(tier.figures().usedBytes).toBe(80);
  });

  it('evicts the least recently used file for the bytes of the next', async () => {
    // 100 bytes hold two files of 40.
    const tier = new DiskArtifactTier(folder, 100);
    for (const one of [a, b, a, c]) await get(tier, one);
    expect([existsSync(path(a)), existsSync(path(b)), existsSync(path(c))]).toEqual([true, false, true]);
    expect(tier.figures()).toMatchObject({ usedBytes: 80, files: 2, evictions: 1 });
  });

  it('does not keep what is larger than its limit', async () => {
    const tier = new DiskArtifactTier(folder, 39);
    expect([await get(tier, a), await get(tier, a)]).toEqual(['store', 'store']);
    expect(tier.figures()).toMatchObject({ usedBytes: 0, files: 0 });
  });

  it('stays below its limit however many are written at once', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    const many = Array.from({ length: 12 }, (_, i) => artifact(`m${i}`, 30));
    await Promise.all(many.map(({ bytes, ref }) => tier.get(tenantA, ref, async () => bytes)));
    expect(tier.figures().usedBytes).toBeLessThanOrEqual(100);
    await tier.written();
    const onDisk = readdirSync(join(folder, tenantA.tenantId)).length * 30;
    expect([onDisk, tier.figures().usedBytes]).toEqual([onDisk, onDisk]);
    expect(onDisk).toBeLessThanOrEqual(100);
  });

  it.each([
    ['damaged', () => writeFileSync(path(a), Buffer.alloc(40, 'x'))],
    ['cut short', () => writeFileSync(path(a), a.bytes.subarray(0, 39))],
    ['gone', () => rmSync(path(a))],
  ])('fetches anew a file that is %s', async (_how, harm) => {
    const tier = new DiskArtifactTier(folder, 100);
    await get(tier, a);
    harm();
    expect([await get(tier, a), await get(tier, a)]).toEqual(['store', 'disk']);
    expect(tier.figures()).toMatchObject({ damaged: 1, usedBytes: 40 });
    expect(readFileSync(path(a))).toEqual(a.bytes);
  });

  it('refuses bytes of the store that are not what was registered, and keeps none of them', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    await expect(tier.get(tenantA, a.ref, async () => b.bytes)).rejects.toMatchObject({
      code: 'ARTIFACT_DAMAGED',
    });
    await tier.written();
    expect(existsSync(path(a))).toBe(false);
    expect(await get(tier, a)).toBe('store');
  });

  it('says when the store has no such artifact, and asks again the next time', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    expect(await tier.get(tenantA, a.ref, async () => undefined)).toBeUndefined();
    expect(await get(tier, a)).toBe('store');
  });

  it('fetches once for all who ask at the same time', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    let fetches = 0;
    const fetch = async () => {
      fetches++;
      return a.bytes;
    };
    await Promise.all(Array.from({ length: 10 }, () => tier.get(tenantA, a.ref, fetch)));
    expect(fetches).toBe(1);
  });

  it('takes over what an earlier process left, oldest first, and removes what it left half written', async () => {
    const first = new DiskArtifactTier(folder, 100);
    await get(first, a);
    await get(first, b);
    utimesSync(path(a), 1_000, 1_000);
    utimesSync(path(b), 2_000, 2_000);
    writeFileSync(`${path(c)}.half`, 'half');
    const second = new DiskArtifactTier(folder, 100);
    expect(await get(second, b)).toBe('disk');
    expect(existsSync(`${path(c)}.half`)).toBe(false);
    await get(second, c);
    expect([existsSync(path(a)), existsSync(path(b))]).toEqual([false, true]);
  });

  it('does not believe a file that another process left under a name that is not its digest', async () => {
    mkdirSync(join(folder, tenantA.tenantId));
    writeFileSync(path(a), Buffer.alloc(40, 'x'));
    expect(await get(new DiskArtifactTier(folder, 100), a)).toBe('store');
  });

  it('serves without a disk', async () => {
    // A file where the folder should be: nothing can be read or written there.
    const blocked = join(folder, 'file');
    writeFileSync(blocked, '');
    const tier = new DiskArtifactTier(blocked, 100);
    expect([await get(tier, a), await get(tier, a)]).toEqual(['store', 'store']);
    expect(tier.figures()).toMatchObject({ writeFailures: 2, usedBytes: 0, files: 0 });
  });

  it('refuses a digest that would lead elsewhere', async () => {
    const tier = new DiskArtifactTier(folder, 100);
    for (const sha256 of ['../../etc/passwd', '', a.ref.sha256.toUpperCase()]) {
      await expect(tier.get(tenantA, { key: 'k', sha256 }, async () => a.bytes)).rejects.toThrow(
        'is no sha256',
      );
    }
  });
});
