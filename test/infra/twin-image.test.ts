import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(root, 'twin.Dockerfile'), 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'tenantml-twin-image-'));
const app = path.join(folder, 'app');
const running: ChildProcess[] = [];

/** Paths of the image, as they are in this folder. */
const placed = (word: string) => (/^\/(app|data)\b/.test(word) ? path.join(folder, word) : word);
const instruction = (name: string): string =>
  new RegExp(`^${name}\\s+((?:.*\\\\\\n)*.*)$`, 'm').exec(dockerfile)![1]!.replaceAll('\\\n', ' ');
const command = (text: string): [string, ...string[]] => {
  const [program, ...words] = JSON.parse(/\[.*\]$/.exec(text)![0]) as string[];
  expect(program).toBe('node');
  return [process.execPath, ...words.map(placed)];
};
const environment: Record<string, string> = { PATH: process.env.PATH! };

beforeAll(async () => {
  const port = createServer().listen(0, '127.0.0.1');
  await once(port, 'listening');
  const [name, value] = instruction('ENV').split('=') as [string, string];
  Object.assign(environment, {
    [name]: placed(value),
    TENANTML_PORT: String((port.address() as { port: number }).port),
  });
  port.close();
  // COPY . . takes what is not left out.
  const leftOut = readFileSync(path.join(root, '.dockerignore'), 'utf8').trim().split('\n');
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of files.toString().trim().split('\n'))
    if (existsSync(path.join(root, file)) && !leftOut.includes(file.split('/')[0]!))
      cpSync(path.join(root, file), path.join(app, file));
  // npm ci: what it installs and builds is here already.
  symlinkSync(path.join(root, 'node_modules'), path.join(app, 'node_modules'));
  for (const layer of ['duckdb', 'onnxruntime'])
    cpSync(path.join(root, 'layers', layer, 'build'), path.join(app, 'layers', layer, 'build'), {
      recursive: true,
    });
  mkdirSync(path.join(folder, 'data'));
  const [program, ...words] = /^RUN (node .*)$/m.exec(dockerfile)![1]!.split(' ');
  expect(program).toBe('node');
  execFileSync(process.execPath, words, { cwd: app, env: environment });
}, 60_000);
afterAll(() => {
  for (const one of running) one.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const isHealthy = (): boolean => {
  const [program, ...words] = command(instruction('HEALTHCHECK'));
  return spawnSync(program, words, { env: environment }).status === 0;
};

async function start(): Promise<ChildProcess> {
  const [program, ...words] = command(instruction('ENTRYPOINT'));
  const twin = spawn(program, words, { cwd: app, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  running.push(twin);
  const endsMs = performance.now() + 40_000;
  while (!isHealthy()) {
    expect(twin.exitCode).toBeNull();
    expect(performance.now()).toBeLessThan(endsMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return twin;
}

async function stop(twin: ChildProcess): Promise<void> {
  const exited = once(twin, 'exit');
  twin.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
}

async function call(route: string, body?: object): Promise<{ items: { name: string }[] }> {
  const url = `http://127.0.0.1:${environment.TENANTML_PORT}`;
  const token = await fetch(`${url}/_twin/identity/token`, {
    method: 'POST',
    body: new URLSearchParams({ tenant: 'demo' }),
  });
  const { access_token } = (await token.json()) as { access_token: string };
  const answer = await fetch(`${url}/api/v1/ml${route}`, {
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  expect(answer.ok).toBe(true);
  return (await answer.json()) as { items: { name: string }[] };
}

test('the image runs as a user who may write nothing but data and what is synthesized', () => {
  expect(instruction('USER')).toBe('node');
  expect(dockerfile).toContain('chown -R node /data .build');
  expect(instruction('VOLUME')).toBe('/data');
});

test('it is healthy when it has started, ends when it is told to, and its volume keeps the data', async () => {
  expect(isHealthy()).toBe(false);
  const first = await start();
  await call('/datasets', { name: 'kept', rows: [{ a: 1 }, { a: 2 }] });
  await stop(first);
  expect(isHealthy()).toBe(false);
  const second = await start();
  expect((await call('/datasets')).items.map(({ name }) => name)).toEqual(['kept']);
  await stop(second);
}, 120_000);
