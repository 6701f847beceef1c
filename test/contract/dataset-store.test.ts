import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3DatasetStore } from '../../src/adapters/aws/s3-dataset-store.ts';
import { S3Objects, s3Clients, sha256Hex } from '../../src/adapters/aws/s3-objects.ts';
import { encodeCursor } from '../../src/adapters/page-cursor.ts';
import type { DatasetStore } from '../../src/data/dataset-store.ts';
import { ValidationError } from '../../src/errors.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import { type LocalStores, startLocalStores } from '../support/local-stores.ts';
import { ownSessions } from '../support/own-sessions.ts';
import { datasetId, sampleDataset } from '../support/samples.ts';
import { tenantA, tenantAb, tenantB, tenantNamed } from '../support/tenants.ts';

let stores: LocalStores;
let objects: S3Objects;
let datasets: DatasetStore;
const folder = mkdtempSync(join(tmpdir(), 'tenantml-datasets-'));

beforeAll(async () => {
  stores = await startLocalStores();
  objects = new S3Objects(s3Clients(ownSessions), stores.names.ArtifactBucket);
  datasets = new S3DatasetStore(objects);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stores?.stop();
});

function parquet(text: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.parquet`);
  writeFileSync(file, text);
  return file;
}

/** A dataset whose Parquet file holds the text. */
const datasetOf = (text: string, over: Parameters<typeof sampleDataset>[0]) =>
  sampleDataset({ parquet_sha256: sha256Hex(text), parquet_bytes: Buffer.byteLength(text), ...over });

describe('DatasetStore on S3', () => {
  it('gives back what was put, the columns and the file', async () => {
    const dataset = datasetOf('bytes', { dataset_id: datasetId('1') });
    expect(await datasets.put(tenantA, dataset, parquet('bytes'))).toEqual(dataset);
    expect(await datasets.get(tenantA, dataset.dataset_id)).toEqual(dataset);
    const target = join(folder, 'fetched');
    expect(await datasets.fetchParquet(tenantA, dataset, target)).toBe(5);
    expect(readFileSync(target, 'utf8')).toBe('bytes');
  });

  it('never changes a version: what is put again is what was first', async () => {
    const first = datasetOf('first', { dataset_id: datasetId('2'), name: 'first' });
    const second = datasetOf('second', { dataset_id: datasetId('2'), name: 'second' });
    await datasets.put(tenantA, first, parquet('first'));
    expect(await datasets.put(tenantA, second, parquet('second'))).toEqual(first);
    const target = join(folder, 'kept');
    await datasets.fetchParquet(tenantA, first, target);
    expect(readFileSync(target, 'utf8')).toBe('first');
  });

  it('makes one version of ten puts at once', async () => {
    const base = sampleDataset({ dataset_id: datasetId('3') });
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        datasets.put(tenantA, { ...base, name: `n${i}` }, parquet('same')),
      ),
    );
    const stored = await datasets.get(tenantA, base.dataset_id);
    for (const dataset of made) expect(dataset).toEqual(stored);
  });

  it('keeps the file that the manifest speaks of when first puts with other bytes meet', async () => {
    const text = (i: number) => `made ${i} `.repeat(i + 1);
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        datasets.put(
          tenantB,
          datasetOf(text(i), { dataset_id: datasetId('6'), name: `${i}` }),
          parquet(text(i)),
        ),
      ),
    );
    const stored = (await datasets.get(tenantB, datasetId('6')))!;
    for (const dataset of made) expect(dataset).toEqual(stored);
    const target = join(folder, 'of the manifest');
    await datasets.fetchParquet(tenantB, stored, target);
    expect(readFileSync(target, 'utf8')).toBe(text(Number(stored.name)));
  });

  it('gives no file that is not what the manifest says', async () => {
    const dataset = datasetOf('whole', { dataset_id: datasetId('7') });
    await datasets.put(tenantA, dataset, parquet('whole'));
    const key = objectKeys.datasetParquet(tenantA, dataset.dataset_id, dataset.parquet_sha256);
    await objects.putBytes(tenantA, key, 'whale');
    await expect(datasets.fetchParquet(tenantA, dataset, join(folder, 'damaged'))).rejects.toMatchObject({
      code: 'DATASET_DAMAGED',
    });
  });

  it('is another dataset for another tenant, although the bytes have the same name', async () => {
    const dataset = datasetOf('of aa', { dataset_id: datasetId('4') });
    await datasets.put(tenantA, dataset, parquet('of aa'));
    for (const stranger of [tenantAb, tenantB]) {
      expect(await datasets.get(stranger, dataset.dataset_id)).toBeUndefined();
      await expect(datasets.fetchParquet(stranger, dataset, join(folder, 'stolen'))).rejects.toMatchObject({
        code: 'DATASET_NOT_FOUND',
      });
    }
    await datasets.put(
      tenantAb,
      datasetOf('of aab', { dataset_id: datasetId('4'), name: 'theirs' }),
      parquet('of aab'),
    );
    const target = join(folder, 'mine');
    await datasets.fetchParquet(tenantA, dataset, target);
    expect(readFileSync(target, 'utf8')).toBe('of aa');
    expect((await datasets.get(tenantA, dataset.dataset_id))?.name).toBe('adult');
  });

  it('does not count a Parquet without a manifest as a dataset', async () => {
    const tenant = tenantNamed('unfinished');
    await objects.putBytes(tenant, objectKeys.datasetParquet(tenant, datasetId('5'), sha256Hex('x')), 'x');
    expect(await datasets.get(tenant, datasetId('5'))).toBeUndefined();
    expect((await datasets.list(tenant, { limit: 10 })).items).toEqual([]);
    const dataset = sampleDataset({ dataset_id: datasetId('5') });
    await datasets.put(tenant, dataset, parquet('whole'));
    expect((await datasets.list(tenant, { limit: 10 })).items).toHaveLength(1);
  });
});

describe('the list of datasets', () => {
  const mine = tenantNamed('lister');
  const other = tenantNamed('lister2');
  const digits = ['0', '1', '9', 'a', 'c', 'e', 'f'];

  beforeAll(async () => {
    for (const digit of digits)
      await datasets.put(mine, sampleDataset({ dataset_id: datasetId(digit) }), parquet(digit));
    await datasets.put(other, sampleDataset({ dataset_id: datasetId('b') }), parquet('b'));
  });

  it.each([1, 2, 3, 7, 100])(
    'holds every dataset once in pages of %i, without its columns',
    async (limit) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await datasets.list(mine, { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        for (const item of page.items) expect(item).not.toHaveProperty('columns');
        seen.push(...page.items.map(({ dataset_id }) => dataset_id));
        cursor = page.nextCursor;
      } while (cursor !== undefined && seen.length < 20);
      expect(seen).toEqual(digits.map((digit) => datasetId(digit)));
    },
  );

  it("leads a stranger's cursor into one's own datasets only", async () => {
    const { nextCursor } = await datasets.list(mine, { limit: 4 });
    const page = await datasets.list(other, { limit: 10, cursor: nextCursor });
    // The cursor points at a…; only b… of the stranger lies behind it.
    expect(page.items.map(({ dataset_id }) => dataset_id)).toEqual([datasetId('b')]);
  });

  it.each(['', 'garbage', encodeCursor('../lister2/'), encodeCursor(datasetId('A')), encodeCursor('a')])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(async () => datasets.list(mine, { limit: 3, cursor })).rejects.toThrow(ValidationError);
    },
  );
});
