import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bundleFunctions,
  type FunctionBundles,
  functionNames,
  MissingHandlerError,
} from '../../infra/bundle-functions.ts';
import { folderBytes } from '../../layers/layer.ts';
import { platformFunctions, synthesize } from './support/synthesized-app.ts';

const root = path.resolve(import.meta.dirname, '../..');
const outdir = mkdtempSync(path.join(tmpdir(), 'tenantml-bundles-'));
const NATIVE = ['onnxruntime-node', '@duckdb/node-api'];
const LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024;
/** Asked for inside try, and done without. */
const OPTIONAL = ['pg-native', 'jiti', '@aws-sdk/signature-v4-crt'];
let bundles: FunctionBundles;

beforeAll(() => {
  bundles = bundleFunctions({ root, outdir });
});

const code = (name: keyof FunctionBundles) => readFileSync(path.join(bundles[name], 'index.cjs'), 'utf8');

describe('bundles', () => {
  it('hold one folder and one entry for each function', () => {
    expect(readdirSync(outdir).sort()).toEqual([...functionNames].sort());
    for (const name of functionNames)
      expect(existsSync(path.join(bundles[name], 'index.cjs')), name).toBe(true);
  });

  it.each(functionNames)('%s exports a handler when it is required as CommonJS', (name) => {
    // A process of its own for each: a bundle must not rely on what another has loaded.
    const script = `const m = require(${JSON.stringify(path.join(bundles[name], 'index.cjs'))}); console.log(typeof m.handler)`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      // Values as a deployment gives them; nothing is called.
      env: {
        ...requiredSettings(),
        NODE_PATH: path.join(root, 'node_modules'),
        LAMBDA_TASK_ROOT: bundles[name],
        PATH: process.env.PATH,
      },
    });
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('function');
  });

  it('leave native packages to the layers and bundle everything else', () => {
    for (const name of functionNames) {
      const outside = [...code(name).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, module]) => module!);
      const unknown = outside.filter(
        (module) => !/^(node:)?[a-z_/0-9]+$/.test(module) && !NATIVE.includes(module),
      );
      expect(
        unknown.filter((module) => !OPTIONAL.includes(module)),
        name,
      ).toEqual([]);
    }
  });

  it('use native packages only where the function has their layer', () => {
    const users = (module: string) =>
      functionNames.filter((name) => code(name).includes(`require("${module}")`));
    const withOnnxruntime = ['batch', 'predict', 'predict-imported', 'trainer'];
    const withDuckdb = ['batch', 'datasets', 'ingest', 'trainer'];
    expect(users('onnxruntime-node').filter((name) => !withOnnxruntime.includes(name))).toEqual([]);
    expect(users('@duckdb/node-api').filter((name) => !withDuckdb.includes(name))).toEqual([]);
  });

  it('load onnxruntime from its layer, and not before a graph needs it', () => {
    const script = `require(${JSON.stringify(path.join(bundles.predict, 'index.cjs'))}); console.log('loaded')`;
    // No NODE_PATH: whoever asks for a package of a layer now fails.
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: { ...requiredSettings(), PATH: process.env.PATH },
    });
    expect([stderr, stdout.trim()]).toEqual(['', 'loaded']);
    for (const name of ['predict', 'trainer'] as const) {
      expect(code(name)).toContain('require("onnxruntime-node")');
      // `import()` would not find a layer.
      expect(code(name)).not.toMatch(/\bimport\(/);
    }
  });

  it('carry the migrations and the documentation page', () => {
    const migrations = readdirSync(path.join(root, 'src/adapters/postgres/migrations')).filter((file) =>
      file.endsWith('.sql'),
    );
    expect(readdirSync(path.join(bundles.migrate, 'migrations')).sort()).toEqual(migrations.sort());
    expect(readdirSync(bundles.platform).sort()).toEqual([
      'index.cjs',
      'swagger-ui-bundle.js',
      'swagger-ui.css',
    ]);
  });

  it('keep predict small, because its size is its cold start', () => {
    const kB = statSync(path.join(bundles.predict, 'index.cjs')).size / 1000;
    // A quarter of the megabyte that its start-up allows; two times bare Node as measured by bench:serve.
    expect(kB).toBeLessThan(250);
    // The SDK's clients would be a hundred of these.
    expect(code('predict')).not.toContain('ListObjectsV2Command');
  });

  it('are the same when built again, and lose files that no longer belong', () => {
    const file = path.join(bundles.predict, 'index.cjs');
    const before = statSync(file).mtimeMs;
    writeFileSync(path.join(bundles.predict, 'left-over.txt'), '');
    bundleFunctions({ root, outdir });
    expect(statSync(file).mtimeMs).toBe(before);
    expect(readdirSync(bundles.predict)).toEqual(['index.cjs']);
  });

  it('are refused when a handler is missing, by the name of its file', () => {
    const empty = mkdtempSync(path.join(tmpdir(), 'tenantml-no-handlers-'));
    mkdirSync(path.join(empty, 'functions/predict'), { recursive: true });
    writeFileSync(path.join(empty, 'functions/predict/handler.ts'), 'export const handler = () => 1;');
    const bundle = () => bundleFunctions({ root: empty, outdir: path.join(empty, 'out') });
    expect(bundle).toThrow(MissingHandlerError);
    expect(bundle).toThrow(/functions\/train\/handler\.ts/);
    expect(bundle).not.toThrow(/functions\/predict\/handler\.ts/);
  });
});

describe('functions with their layers', () => {
  it('unzip to less than 250 MB', () => {
    const app = synthesize({ stage: 'dev', bundles });
    const sizeOf = (stack: string, logicalId: string) => {
      const metadata = app.templates[stack]?.Resources[logicalId]?.Metadata;
      return folderBytes(path.resolve(app.outdir, metadata?.['aws:asset:path'] as string));
    };
    const sizes = [...platformFunctions(app).values()].map(({ stack, logicalId, Properties }) => {
      const layers = ((Properties.Layers ?? []) as { Ref: string }[]).map(({ Ref }) => sizeOf(stack, Ref));
      return layers.reduce((sum, bytes) => sum + bytes, sizeOf(stack, logicalId));
    });
    expect(sizes).toHaveLength(25);
    // The trainer carries both layers, so the sum is not one of empty folders.
    expect(Math.max(...sizes)).toBeGreaterThan(80_000_000);
    expect(Math.max(...sizes)).toBeLessThan(LAMBDA_LIMIT_BYTES);
  });
});

function requiredSettings(): Record<string, string> {
  const names = [
    'ARTIFACT_BUCKET STAGING_BUCKET RESULT_BUCKET PREDICTION_BUCKET SERVING_TABLE JOBS_TABLE INTENTS_TABLE IDEMPOTENCY_TABLE',
    'ACCESS_TABLE AUDIT_TABLE FEEDBACK_TABLE TRANSIENT_TABLE EVENT_BUS_NAME RELAY_FUNCTION_NAME IMPORTED_FUNCTION_NAME',
    'TRAINING_STATE_MACHINE_ARN INGEST_STATE_MACHINE_ARN BATCH_STATE_MACHINE_ARN IMPORT_STATE_MACHINE_ARN',
    'DATABASE_HOST DATABASE_NAME DATABASE_USER OIDC_AUDIENCE OIDC_TENANT_CLAIM OIDC_ROLE_CLAIM',
    'AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY POWERTOOLS_SERVICE_NAME TENANTML_STAGE',
  ].flatMap((line) => line.split(' '));
  return {
    ...Object.fromEntries(names.map((name) => [name, 'test'])),
    OIDC_ISSUER: 'https://identity.example.com',
    ...{ TENANT_TABLES: '[]', TENANT_BUCKETS: '[]', TENANT_ROWS_FUNCTION_NAME: 'test' },
    OFFBOARDING_WAITS_SECONDS: '0,300,900',
    AWS_REGION: 'eu-central-1',
    POWERTOOLS_METRICS_NAMESPACE: 'TenantML',
    POWERTOOLS_DEV: 'false',
  };
}
