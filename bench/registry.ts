/**
 * Reads of a registry of 100,000 versions in 1,000 models, over HTTP in the twin: gateway, authorizer, function, Postgres.
 * npm run bench:registry -- [--json] [--models 1000] [--versions 100] [--calls 200]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTwin } from '../local/main.ts';
import { Random } from '../src/ml/random.ts';
import { fillRegistry } from './large-registry.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    models: { type: 'string', default: '1000' },
    versions: { type: 'string', default: '100' },
    calls: { type: 'string', default: '200' },
  },
});
const [nModels, nVersions, nCalls] = [options.models, options.versions, options.calls].map(Number) as [
  number,
  number,
  number,
];
/** What lists, searches and single models are held to. */
const targetMs = 50;

const folder = mkdtempSync(join(tmpdir(), 'tenantml-bench-'));
const twin = await startTwin({ port: 0, dataDir: folder });
try {
  const admin = twin.database.connect();
  await fillRegistry(admin, 'demo', { nModels, nVersions });
  await admin.end();
  const authorization = `Bearer ${await twin.issueToken('demo')}`;
  const random = new Random(7);
  const anyModel = () => `model-${String(1 + random.nextInt(nModels)).padStart(5, '0')}`;
  const questions: Record<string, () => string> = {
    list: () => '/models?limit=50',
    'list, a later page': () => `/models?limit=50&cursor=${Buffer.from(anyModel()).toString('base64url')}`,
    search: () => `/models?search=${anyModel().slice(-3)}`,
    'by stage': () => '/models?stage=Staging',
    'by tag': () => `/models?tag=team=team-${random.nextInt(7)}`,
    model: () => `/models/${anyModel()}`,
    metadata: () => `/models/${anyModel()}/metadata`,
    versions: () => `/models/${anyModel()}/versions?limit=50`,
    environments: () => `/models/${anyModel()}/environments`,
    history: () => `/models/${anyModel()}/deployments`,
    lineage: () => `/models/${anyModel()}/lineage`,
    audit: () => `/audit?subject=${anyModel()}`,
  };
  const timesMs = new Map<string, number[]>(Object.keys(questions).map((name) => [name, []]));
  // In turns, so that what slows the machine for a while slows all of them.
  for (let call = -10; call < nCalls; call++) {
    for (const [name, path] of Object.entries(questions)) {
      const startMs = performance.now();
      const response = await fetch(`${twin.url}/api/v1/ml${path()}`, { headers: { authorization } });
      const body = await response.text();
      const elapsedMs = performance.now() - startMs;
      if (!response.ok) throw new Error(`${name} answered ${response.status}: ${body}`);
      if (call >= 0) timesMs.get(name)!.push(elapsedMs);
    }
  }
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)]!;
  let isMet = true;
  if (!options.json)
    process.stdout.write(
      `${nModels * nVersions} versions in ${nModels} models, ${nCalls} calls each\n${'call'.padEnd(20)} p50 ms  p95 ms\n`,
    );
  for (const [name, times] of timesMs) {
    const sorted = times.sort((a, b) => a - b);
    const [p50, p95] = [at(sorted, 0.5), at(sorted, 0.95)];
    isMet &&= p95 < targetMs;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ call: name, p50_ms: p50, p95_ms: p95 })}\n`
        : `${name.padEnd(20)} ${p50.toFixed(1).padStart(6)}  ${p95.toFixed(1).padStart(6)}\n`,
    );
  }
  if (!options.json) process.stdout.write(`p95 below ${targetMs} ms: ${isMet ? 'met' : 'NOT met'}\n`);
  process.exitCode = isMet ? 0 : 1;
} finally {
  await twin.stop();
  rmSync(folder, { recursive: true, force: true });
}
