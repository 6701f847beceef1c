/** One row over HTTP, wrk with 8 connections: the model server and the twin beside FastAPI with scikit-learn, in turns. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Twin } from '../../local/main.ts';
import { type BenchModel, recordsOf, writeModelFolder } from './adult-model.ts';
import { median } from './percentiles.ts';

export interface HttpResult {
  readonly subject: 'model server' | 'twin' | 'fastapi';
  readonly requests_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
  /** Requests a second over the peer's. */
  readonly ratio: number | null;
}

interface Target {
  readonly subject: HttpResult['subject'];
  readonly url: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

const connections = 8;
const root = resolve(import.meta.dirname, '../..');

/** Reports as JSON; wrk's own text rounds. */
const report = `
function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('JSON {"requests_per_s":%f,"p50_ms":%f,"p99_ms":%f,"errors":%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, errors))
end
`;

export async function measureOverHttp(
  bench: BenchModel,
  twin: Twin | undefined,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<HttpResult[]> {
  if (spawnSync('wrk', ['--version']).error !== undefined) {
    process.stderr.write('requests over HTTP are left out: wrk is not installed (apt-get install wrk)\n');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'tenantml-serve-'));
  const children: ChildProcess[] = [];
  try {
    const targets: Target[] = [await modelServer(bench, folder, children)];
    if (twin !== undefined) targets.push(await twinTarget(bench, twin));
    const peer = await fastapi(bench, children);
    if (peer !== undefined) targets.push(peer);
    const runs = new Map<Target, Omit<HttpResult, 'subject' | 'ratio'>[]>(targets.map((one) => [one, []]));
    for (let round = -1; round < rounds; round++) {
      for (const target of targets) {
        const run = await wrk(target, folder, round < 0 ? 2 : seconds);
        if (round >= 0) runs.get(target)!.push(run);
      }
    }
    const results = targets.map((target) => {
      const all = runs.get(target)!;
      return {
        subject: target.subject,
        requests_per_s: median(all.map((run) => run.requests_per_s)),
        p50_ms: median(all.map((run) => run.p50_ms)),
        p99_ms: median(all.map((run) => run.p99_ms)),
        errors: all.reduce((sum, run) => sum + run.errors, 0),
      };
    });
    const base = results.find(({ subject }) => subject === 'fastapi')?.requests_per_s;
    return results.map((one) => ({ ...one, ratio: base === undefined ? null : one.requests_per_s / base }));
  } finally {
    for (const child of children) child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

const rowOf = (bench: BenchModel) => recordsOf(bench.model, bench.test, 1)[0]!;

async function modelServer(bench: BenchModel, folder: string, children: ChildProcess[]): Promise<Target> {
  const models = join(folder, 'models');
  writeModelFolder(models, bench);
  const port = await freePort();
  const script = join(root, 'src/cli/main.ts');
  const code = `import { main } from ${JSON.stringify(script)}; process.exitCode = await main(process.argv.slice(1));`;
  children.push(
    spawn(
      process.execPath,
      ['--input-type=module', '-e', code, 'serve', '--models', models, '--port', String(port)],
      { stdio: 'ignore' },
    ),
  );
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/v2/health/ready`);
  return {
    ...{ subject: 'model server', url: `${url}/api/v1/ml/predict/income`, headers: {} },
    body: JSON.stringify({ input_data: rowOf(bench) }),
  };
}

async function twinTarget(bench: BenchModel, twin: Twin): Promise<Target> {
  const url = `${twin.url}/api/v1/ml/predict/income`;
  return {
    ...{ subject: 'twin', url, headers: { authorization: `Bearer ${await twin.issueToken('demo')}` } },
    body: JSON.stringify({ input_data: rowOf(bench) }),
  };
}

/** The peer gets numbers, so that it has nothing to encode. */
async function fastapi(bench: BenchModel, children: ChildProcess[]): Promise<Target | undefined> {
  const python = ['/usr/bin/python3', 'python3'].find(
    (one) => spawnSync(one, ['-c', 'import fastapi, uvicorn, sklearn']).status === 0,
  );
  if (python === undefined) {
    process.stderr.write(
      'FastAPI is left out: apt-get install python3-fastapi python3-uvicorn python3-sklearn\n',
    );
    return undefined;
  }
  const { n_features } = JSON.parse(readFileSync(join(bench.prepared, 'set.json'), 'utf8')) as {
    n_features: number;
  };
  const port = await freePort();
  const script = join(import.meta.dirname, 'fastapi_server.py');
  children.push(
    // One thread: more of them only wait for each other over one row.
    spawn(python, [script, bench.prepared, String(n_features), String(port)], {
      ...{ stdio: 'ignore', env: { ...process.env, OMP_NUM_THREADS: '1' } },
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/docs`);
  const X = readFileSync(join(bench.prepared, 'X.f32'));
  const row = Array.from({ length: n_features }, (_, j) => X.readFloatLE((4 * n_features + j) * 4));
  return {
    subject: 'fastapi',
    url: `${url}/predict`,
    headers: {},
    body: JSON.stringify({ input_data: row }),
  };
}

async function wrk(target: Target, folder: string, seconds: number) {
  const script = join(folder, 'request.lua');
  const headers = Object.entries({ 'content-type': 'application/json', ...target.headers })
    .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
    .join('\n');
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = ${JSON.stringify(target.body)}\n${headers}\n${report}`,
  );
  const text = await new Promise<string>((done, fail) => {
    const child = spawn('wrk', [
      ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, target.url],
    ]);
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    child.on('error', fail);
    child.on('exit', () => done(out));
  });
  const line = /^JSON (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`wrk said: ${text}`);
  return JSON.parse(line) as Omit<HttpResult, 'subject' | 'ratio'>;
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${url} does not answer`);
}

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });

/** Versions of what was measured against. */
export const peerVersions = (): string => {
  const code =
    'import fastapi, sklearn, uvicorn; print(fastapi.__version__, uvicorn.__version__, sklearn.__version__)';
  try {
    return execFileSync('/usr/bin/python3', ['-c', code], { encoding: 'utf8' }).trim();
  } catch {
    return 'none';
  }
};
