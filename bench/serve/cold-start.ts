/**
 * From the start of the process to its first answer, as Lambda starts it: the bundle, signing, the tenant's session, pointer, key
 * and model from local STS, DynamoDB and S3, no compile cache. Beside it a bare Node process that does nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { functionConfigurations, processEnvironment } from '../../local/lambda/function-configuration.ts';
import type { Twin } from '../../local/main.ts';
import { median } from './percentiles.ts';
import { predictEvent } from './predict-event.ts';

export interface ColdStartResult {
  readonly bare_node_ms: number;
  readonly first_answer_ms: number;
  readonly ratio: number;
}

const root = resolve(import.meta.dirname, '../..');

export async function measureColdStart(
  twin: Twin,
  row: Record<string, unknown>,
  rounds: number,
): Promise<ColdStartResult> {
  const bare: number[] = [];
  const first: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    bare.push(performance.now() - before);
    first.push(await firstAnswer(twin, row));
  }
  return {
    bare_node_ms: median(bare),
    first_answer_ms: median(first),
    ratio: median(first) / median(bare),
  };
}

/** @param environment over what the template sets */
export async function firstAnswer(
  twin: Twin,
  row: Record<string, unknown>,
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const config = functionConfigurations(twin.template).find(
    ({ label }) => label.toLowerCase() === 'predict',
  )!;
  const payload = JSON.stringify(predictEvent('demo', { input_data: row }));
  const temporaryDirectory = mkdtempSync(join(tmpdir(), 'tenantml-cold-'));
  const answered = Promise.withResolvers<string>();
  const waiting: ServerResponse[] = [];
  let asked = 0;
  const api = createServer((request, response) => {
    if (request.url!.includes('/extension/')) {
      if (request.url!.endsWith('/register')) response.writeHead(200, { 'content-length': 0 }).end();
      else waiting.push(response);
    } else if (request.url!.endsWith('/invocation/next')) {
      if (asked++ > 0) {
        waiting.push(response);
        return;
      }
      response.writeHead(200, {
        'content-length': Buffer.byteLength(payload),
        'lambda-runtime-aws-request-id': 'cold',
        'lambda-runtime-deadline-ms': String(Date.now() + 20_000),
        'lambda-runtime-invoked-function-arn': config.arn,
        'lambda-runtime-trace-id': 'Root=1-0-0;Sampled=0',
      });
      response.end(payload);
    } else {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        response.writeHead(202, { 'content-length': 0 }).end();
        answered.resolve(body);
      });
    }
  });
  await new Promise<void>((done) => api.listen(0, '127.0.0.1', done));
  const { s3, dynamodb, stepFunctions, sts } = twin.endpoints;
  const hosted = processEnvironment(config, {
    credentials: twin.roleCredentials(config.roleName),
    endpoints: {
      ...{
        AWS_ENDPOINT_URL_S3: s3,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
        AWS_ENDPOINT_URL_SFN: stepFunctions,
        AWS_ENDPOINT_URL_STS: sts,
      },
    },
    nodePath: join(root, 'node_modules'),
    runtimeApi: `127.0.0.1:${(api.address() as AddressInfo).port}`,
    temporaryDirectory,
    logStream: 'cold',
  });
  const before = performance.now();
  const child = spawn(process.execPath, [join(root, 'local/lambda/runtime-bootstrap.cjs')], {
    ...{ env: { ...hosted, ...environment }, cwd: config.taskRoot, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  const answer = JSON.parse(await answered.promise) as { statusCode: number; body: string };
  const elapsed = performance.now() - before;
  child.kill('SIGKILL');
  api.closeAllConnections();
  api.close();
  rmSync(temporaryDirectory, { recursive: true, force: true });
  if (answer.statusCode !== 200) throw new Error(`the first answer was ${answer.body}`);
  return elapsed;
}
