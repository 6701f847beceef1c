import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Prediction } from '../../src/contracts/prediction.ts';
import {
  clientOf,
  createSample,
  jobEnd,
  type RunningTwin,
  runTwin,
  trainSample,
} from '../support/running-twin.ts';

const repository = join(import.meta.dirname, '../..');

const predict = (client: HttpClient) =>
  client.call('predict', {
    params: { model_name: 'model' as never },
    body: { input_data: { amount: 9 } },
  }) as Promise<Prediction>;

describe('kill -9 of the predict process', () => {
  let running: RunningTwin;
  afterAll(() => running.stop());

  it('fails at most the calls in flight of 200 concurrent ones, and the next succeed', async () => {
    running = await runTwin();
    const client = running.client('acme');
    await trainSample(client, 'model');
    await predict(client);
    const outcomes: (string | number)[] = [];
    const calls = Array.from({ length: 200 }, () =>
      predict(client).then(
        ({ prediction }) => outcomes.push(String(prediction)),
        ({ status }: { status: number }) => outcomes.push(status),
      ),
    );
    await Promise.race(calls);
    const pids = running.twin.functionPids('predict');
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(calls);
    const failed = outcomes.filter((outcome) => typeof outcome === 'number');
    // One call a process was in flight; each ends as a 5xx, and nothing else does.
    expect(failed.length).toBeLessThanOrEqual(pids.length);
    expect(failed.every((status) => Number(status) >= 500)).toBe(true);
    expect(outcomes).toHaveLength(200);
    for (let i = 0; i < 20; i++) expect((await predict(client)).prediction).toBe('high');
  });
});

/** `npm start` as a process of its own, so that it can be killed. */
class TwinProcess {
  readonly #child: ChildProcess;
  readonly url: Promise<string>;

  constructor(dataDir: string) {
    this.#child = spawn(process.execPath, ['local/main.ts'], {
      cwd: repository,
      env: { ...process.env, TENANTML_PORT: '0', TENANTML_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.url = new Promise((resolve, reject) => {
      let text = '';
      this.#child.stdout!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const url = /API\s+(http:\/\/\S+)/.exec(text)?.[1];
        if (url !== undefined && text.includes('Ctrl-C')) resolve(url);
      });
      this.#child.stderr!.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      this.#child.on('exit', (code) => reject(new Error(`the twin ended with ${code}: ${text}`)));
    });
  }

  async client(tenant: string): Promise<HttpClient> {
    const url = await this.url;
    return clientOf(url, async () => {
      const response = await fetch(`${url}/_twin/identity/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tenant }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    await ended;
  }
}

describe('kill -9 of the whole twin', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tenantml-killed-'));
  let twin: TwinProcess | undefined;
  afterEach(async () => {
    await twin?.end('SIGTERM').catch(() => undefined);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('leaves no job running for ever, keeps what was there, and serves it after the restart', async () => {
    twin = new TwinProcess(dataDir);
    const before = await twin.client('acme');
    await trainSample(before, 'model');
    const { dataset_id } = await createSample(before, 6_000);
    const { job_id } = await before.call('trainModel', {
      body: {
        model_name: 'interrupted' as never,
        dataset_id,
        target: 'score',
        hyperparameters: { n_estimators: 2_000, learning_rate: 0.01 },
      },
    });
    await expect
      .poll(async () => (await before.call('getJob', { params: { job_id } })).step, {
        timeout: 20_000,
        interval: 20,
      })
      .toBe('fit');
    await twin.end('SIGKILL');

    twin = new TwinProcess(dataDir);
    const after = await twin.client('acme');
    const job = await jobEnd(after, job_id);
    expect(job).toMatchObject({ status: 'failed', error: { code: 'RUN_STOPPED' } });
    const { items } = await after.call('listModels', { query: {} });
    expect(items.map(({ model_name, champion_version }) => [model_name, champion_version])).toEqual([
      ['model', '1.0.0'],
    ]);
    expect((await predict(after)).prediction).toBe('high');
    expect((await trainSample(after, 'interrupted', { dataset_id })).status).toBe('completed');
  });
});

describe('an action less in the policies of predict', () => {
  let running: RunningTwin | undefined;
  const kept = mkdtempSync(join(tmpdir(), 'tenantml-iam-'));
  // Inside the repository, where the functions find their modules.
  const assembly = join(repository, '.build/twin/test-without-statement');
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  afterAll(() => {
    rmSync(kept, { recursive: true, force: true });
    rmSync(assembly, { recursive: true, force: true });
  });

  // Of the serving table for tenants and for the platform and of what may be lost; of artifacts and the prediction log.
  it.each([
    ['dynamodb:GetItem', 3, 'STORE_ACCESS_DENIED', 'AccessDenied'],
    ['s3:GetObject', 2, 'STORE_ACCESS_DENIED', 'AccessDenied'],
    // What the function may do, and whom the tenant role trusts.
    ['sts:TagSession', 2, 'TENANT_SESSION_REFUSED', 'trust policy'],
  ])('makes a prediction fail, and say why: %s', async (action, nStatements, code, why) => {
    const whole = await runTwin({ dataDir: kept });
    await trainSample(whole.client('acme'), 'model');
    expect((await predict(whole.client('acme'))).prediction).toBe('high');
    await whole.stop();

    rmSync(assembly, { recursive: true, force: true });
    mkdirSync(assembly, { recursive: true });
    cpSync(join(repository, '.build/twin/cdk.out/'), assembly, { recursive: true, dereference: true });
    expect(withoutStatement(assembly, /predict/i, action)).toBe(nStatements);
    running = await runTwin({ dataDir: kept, cloudAssembly: assembly });
    await expect(predict(running.client('acme'))).rejects.toMatchObject({
      status: 500,
      code,
      message: expect.stringContaining(why),
    });
    await running.stop();
    running = undefined;
  });
});

interface Policy {
  Statement: { Action: string | string[] }[];
}

interface Resource {
  readonly Type: string;
  readonly Properties: { readonly [Document in 'PolicyDocument' | 'AssumeRolePolicyDocument']?: Policy };
}

/** Takes the statements with an action away from the policies of roles. @returns how many were taken */
function withoutStatement(folder: string, role: RegExp, action: string): number {
  let taken = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.template.json'))) {
    const template = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      Resources: Record<string, Resource>;
    };
    for (const [id, resource] of Object.entries(template.Resources)) {
      const { PolicyDocument, AssumeRolePolicyDocument: document = PolicyDocument } = resource.Properties;
      if (!/^AWS::IAM::(Policy|Role)$/.test(resource.Type) || !role.test(id) || document === undefined)
        continue;
      const rest = document.Statement.filter(({ Action }) => ![Action].flat().includes(action));
      taken += document.Statement.length - rest.length;
      document.Statement = rest;
    }
    writeFileSync(join(folder, file), JSON.stringify(template));
  }
  return taken;
}
