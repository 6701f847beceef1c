import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildServer } from '../../scripts/build-server.ts';

const root = path.resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(root, 'Dockerfile'), 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'tenantml-image-'));
let server: ChildProcess | undefined;

beforeAll(async () => {
  await buildServer(path.join(folder, 'server'), process.arch);
  mkdirSync(path.join(folder, 'models'));
});
afterAll(() => {
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The last stage's command, as Docker would run it, with the paths of this folder. */
function entrypoint(): string[] {
  const words = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  return words.map((word) => (word.startsWith('/') ? path.join(folder, word) : word));
}

test('the image builds what it runs, and copies files that exist', () => {
  expect(dockerfile).toContain('RUN node scripts/build-server.ts /server');
  for (const [, files] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
    for (const file of files!.split(' ')) expect(existsSync(path.join(root, file)), file).toBe(true);
  expect(statSync(path.join(folder, 'server/server.mjs')).size).toBeLessThan(3_000_000);
});

test('onnxruntime is there for graphs that need it', () => {
  const require = createRequire(path.join(folder, 'server/server.mjs'));
  expect(require('onnxruntime-node')).toHaveProperty('InferenceSession');
});

test('its command serves from a folder without the checkout, and ends by itself when it is told to', async () => {
  const [, ...args] = entrypoint();
  server = spawn(process.execPath, [...args, '--port', '0', '--json', '--drain', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  const { url } = JSON.parse(String(line)) as { url: string };
  const base = url.replace('0.0.0.0', '127.0.0.1');
  expect((await fetch(`${base}/v2/health/ready`)).status).toBe(200);
  expect((await fetch(`${base}/ping`)).status).toBe(200);
  expect((await fetch(`${base}/v2/models/none`)).status).toBe(404);
  server.kill('SIGTERM');
  const [code] = (await once(server, 'exit')) as [number];
  expect(code).toBe(0);
});
