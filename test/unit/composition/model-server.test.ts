import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createModelServer,
  type ModelServer,
  type ModelServerOptions,
} from '../../../src/composition/model-server.ts';
import { type Built, built } from '../../support/serving-samples.ts';

const classifier = built('text', 1);
const retrained = built('text', 2);
const regressor = built('numeric', 3);

let folder: string;
let server: ModelServer | undefined;
const reported: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantml-models-'));
  reported.length = 0;
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function put(model: string, version: string, { graph, manifest }: Built): void {
  const at = join(folder, model, version);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'model.onnx'), graph);
  writeFileSync(join(at, 'manifest.json'), JSON.stringify(manifest));
}

async function start(more: Partial<ModelServerOptions> = {}) {
  server = createModelServer({
    ...{ models: folder, host: '127.0.0.1', port: 0, onError: (message) => void reported.push(message) },
    ...more,
  });
  return server.start();
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

/** @returns all that comes back for the bytes, until the server ends the connection */
const raw = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });

it('says that it cannot explain what was pulled without what SHAP values need', async () => {
  const { manifest } = classifier;
  const explainer = { sha256: '0'.repeat(64), json_bytes: 1_000 };
  put('income', '1.0.0', { ...classifier, manifest: { ...manifest, explainer } } as Built);
  const { url } = await start();
  const answer = await post(`${url}/api/v1/ml/predict/income`, { input_data: { small: 1 }, explain: 'shap' });
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
    422,
    'EXPLANATION_NOT_AVAILABLE',
  ]);
});

describe('the model server', () => {
  it('serves the highest version of each model of a folder in every dialect', async () => {
    put('income', '1.0.0', classifier);
    put('income', '1.10.0', retrained);
    put('income', '1.9.0', classifier);
    put('amount', '2.0.0', regressor);
    const { url, models } = await start();
    expect([...models].sort()).toEqual(['amount', 'income']);
    const native = await post(`${url}/api/v1/ml/predict/income`, { input_data: { small: 1 } });
    expect(await native.json()).toMatchObject({ model_version: '1.10.0' });
    expect(native.headers.get('x-model-cache')).toBe('hit');
    const infer = await post(`${url}/v2/models/amount/infer`, {
      inputs: [{ name: 'small', shape: [1], datatype: 'FP32', data: [1] }],
    });
    expect(await infer.json()).toMatchObject({ model_version: '2.0.0', outputs: [{ name: 'prediction' }] });
    const scored = await post(`${url}/endpoints/income/invocations`, { instances: [{ small: 1 }] });
    expect(await scored.json()).toEqual({ predictions: [expect.any(String)] });
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    expect((await post(`${url}/invocations`, { instances: [{ small: 1 }] })).status).toBe(400);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });

  it('has no environments: what it serves is no answer of staging', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    const status = async (query: string) =>
      (await post(`${url}/api/v1/ml/predict/income${query}`, { input_data: { small: 1 } })).status;
    expect([await status(''), await status('?environment=production')]).toEqual([200, 200]);
    expect(await status('?environment=staging')).toBe(404);
    expect((await fetch(`${url}/v2/models/income/versions/development/ready`)).status).toBe(404);
  });

  it('needs no name where there is one model', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    expect((await fetch(`${url}/ping`)).status).toBe(200);
    expect((await post(`${url}/invocations`, { instances: [{ small: 1 }] })).status).toBe(200);
  });

  it('serves another version as soon as the folder names it, without a failed request', async () => {
    put('income', '1.0.0', classifier);
    put('income', '1.1.0', retrained);
    writeFileSync(join(folder, 'income', 'champion'), '1.0.0\n');
    const { url } = await start();
    const version = async () => {
      const answer = await post(`${url}/api/v1/ml/predict/income`, { input_data: { small: 1 } });
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { model_version: string }).model_version;
    };
    expect(await version()).toBe('1.0.0');
    writeFileSync(join(folder, 'income', 'champion'), '1.1.0\n');
    await expect.poll(version, { timeout: 10_000, interval: 20 }).toBe('1.1.0');
  });

  it('says which model cannot be served, and serves the others', async () => {
    put('income', '1.0.0', classifier);
    put('broken', '1.0.0', { ...classifier, graph: classifier.graph.subarray(0, 100) });
    const { url, models } = await start();
    expect(models).toEqual(['income']);
    expect(reported).toEqual([expect.stringContaining('broken cannot be served')]);
    expect((await fetch(`${url}/v2/models/broken/ready`)).status).toBe(500);
  });

  it('asks for its token, as bearer or as password', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start({ token: 'right' });
    const status = async (authorization?: string) =>
      (
        await post(
          `${url}/invocations`,
          { instances: [{ small: 1 }] },
          authorization === undefined ? {} : { authorization },
        )
      ).status;
    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status('right')).toBe(401);
    expect(await status(`Basic ${Buffer.from('any:wrong').toString('base64')}`)).toBe(401);
    expect(await status('Bearer right')).toBe(200);
    expect(await status('bearer right')).toBe(200);
    expect(await status('Token right')).toBe(401);
    expect(await status(`Basic ${Buffer.from('any:right').toString('base64')}`)).toBe(200);
    // Balancers know no token, and learn nothing.
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/ping`)).status).toBe(200);
    expect((await fetch(`${url}/endpoints/income/ping`)).status).toBe(401);
  });

  it('serves a model whose folder is a link, and one with a damaged manifest not', async () => {
    put('income', '1.0.0', classifier);
    put('damaged', '1.0.0', classifier);
    writeFileSync(join(folder, 'damaged', '1.0.0', 'manifest.json'), '{"features":');
    symlinkSync(join(folder, 'income'), join(folder, 'linked'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    const { url, models } = await start();
    expect([...models].sort()).toEqual(['income', 'linked']);
    expect(reported).toEqual([expect.stringContaining('damaged cannot be served')]);
    expect((await post(`${url}/v2/models/damaged/infer`, { inputs: [] })).status).toBe(400);
    expect((await post(`${url}/endpoints/damaged/invocations`, { instances: [{ small: 1 }] })).status).toBe(
      500,
    );
    expect((await post(`${url}/endpoints/linked/invocations`, { instances: [{ small: 1 }] })).status).toBe(
      200,
    );
  });

  it('answers requests that carry the whole address, and refuses a large body before it is sent', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    const absolute = await raw(
      url,
      'GET http://elsewhere/ping HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n',
    );
    expect(absolute).toMatch(/^HTTP\/1.1 200 /);
    const head = (bytes: number) =>
      `POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    expect(await raw(url, head(99_999_999))).toMatch(/^HTTP\/1.1 413 /);
    const body = '{"instances":[{"small":1}]}';
    expect(await raw(url, head(body.length) + body)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
  });

  it('refuses a body that is too large, whether or not its size was said', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    const headers = { 'content-type': 'application/json' };
    const body = `{"instances":[{"city":"${'x'.repeat(5_000_000)}"}]}`;
    expect((await fetch(`${url}/invocations`, { method: 'POST', body, headers })).status).toBe(413);
    const chunked = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(`${url}/invocations`, { method: 'POST', headers }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode!);
      });
      outgoing.on('error', reject);
      outgoing.write(body.slice(0, 2_500_000));
      outgoing.end(body.slice(2_500_000));
    });
    expect(chunked).toBe(413);
    expect((await fetch(`${url}/ping`)).status).toBe(200);
  });

  it('answers what it is working on before it stops', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ small: i }));
    const answers = Array.from({ length: 20 }, () =>
      post(`${url}/api/v1/ml/predict/income`, { input_data: rows }),
    );
    await answers[0];
    await server!.stop();
    server = undefined;
    const outcomes = await Promise.allSettled(answers);
    expect(
      outcomes.filter((one) => one.status === 'fulfilled' && one.value.status === 200).length,
    ).toBeGreaterThan(0);
    for (const one of outcomes)
      if (one.status === 'fulfilled') expect(await one.value.json()).toHaveLength(1_000);
    await expect(fetch(`${url}/ping`)).rejects.toThrow();
  });

  it('reads nothing outside of its folder', async () => {
    put('income', '1.0.0', classifier);
    const { url } = await start();
    expect((await fetch(`${url}/v2/models/..%2f..%2fetc/ready`)).status).toBe(400);
    expect((await fetch(`${url}/v2/models/.prediction-id-key/ready`)).status).toBe(400);
    expect((await fetch(`${url}/v2/models/income/versions/..%2f1.0.0/ready`)).status).toBe(404);
  });
});
