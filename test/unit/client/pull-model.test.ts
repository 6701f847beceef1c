import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HttpClient } from '../../../src/client/http-client.ts';
import { pullModel } from '../../../src/client/pull-model.ts';

const bytes = Buffer.from('the bytes of a graph');
let folder: string;
let version: string;
let sha256: string;

/** The platform, with one model whose artifact lies in its address. */
const platform = {
  async call(operation: string) {
    return operation === 'getModelMetadata'
      ? { version, manifest: { features: [] } }
      : { url: `data:application/octet-stream;base64,${bytes.toString('base64')}`, sha256 };
  },
} as unknown as HttpClient;
const pull = () => pullModel(platform, 'risk', folder);
const at = (...parts: string[]) => join(folder, 'risk', ...parts);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantml-pull-'));
  version = '1.0.0';
  sha256 = createHash('sha256').update(bytes).digest('hex');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lays a version where the model server looks for it, and its name last', async () => {
  expect(await pull()).toEqual({ model: 'risk', version: '1.0.0', isNew: true });
  expect(readFileSync(at('1.0.0', 'model.onnx'))).toEqual(bytes);
  expect(readFileSync(at('champion'), 'utf8')).toBe('1.0.0\n');
  expect(await pull()).toMatchObject({ isNew: false });
});

it('leaves whole versions and nothing else when many pull at once', async () => {
  await pull();
  version = '1.1.0';
  const pulled = await Promise.all(Array.from({ length: 20 }, pull));
  expect(pulled.every((one) => one.version === '1.1.0')).toBe(true);
  expect(readdirSync(folder)).toEqual(['risk']);
  expect(readdirSync(at()).sort()).toEqual(['1.0.0', '1.1.0', 'champion']);
  expect(readdirSync(at('1.1.0')).sort()).toEqual(['manifest.json', 'model.onnx']);
  expect(readFileSync(at('champion'), 'utf8')).toBe('1.1.0\n');
});

it('replaces what an interrupted copy has left', async () => {
  mkdirSync(at('1.0.0'), { recursive: true });
  writeFileSync(at('1.0.0', 'model.onnx'), 'half');
  expect(await pull()).toMatchObject({ isNew: true });
  expect(readFileSync(at('1.0.0', 'model.onnx'))).toEqual(bytes);
});

it('keeps nothing of an artifact that is not the registered one', async () => {
  sha256 = createHash('sha256').update('another').digest('hex');
  await expect(pull()).rejects.toMatchObject({ code: 'ARTIFACT_DAMAGED' });
  expect(readdirSync(folder)).toEqual([]);
});
