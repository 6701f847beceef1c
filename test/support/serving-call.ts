import { failureOf } from '../../src/adapters/aws/lambda/failure-of.ts';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { ChoosingExecutor } from '../../src/serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import { ServingApp, type ServingAppParts } from '../../src/serving/http/serving-app.ts';
import type { ServingRequest } from '../../src/serving/http/serving-message.ts';
import { unsignedManifests } from '../../src/serving/manifest-signatures.ts';
import { ModelCache } from '../../src/serving/model-cache.ts';
import { Predictor, type Resident } from '../../src/serving/predictor.ts';
import type { ServingStore } from '../../src/serving/serving-store.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { ManualClock } from './manual-clock.ts';
import { tenantA } from './tenants.ts';

/** The serving plane over a store in memory. */
export function servingApp(store: ServingStore, more: Partial<ServingAppParts> = {}) {
  const clock = new ManualClock();
  const predictor = new Predictor({
    signatures: unsignedManifests,
    ...{ store, clock, executor: new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()) },
    cache: new ModelCache<Resident>({ budgetBytes: 64 * 1024 * 1024, maxModels: 10 }, clock),
  });
  return { clock, predictor, app: new ServingApp({ predictor, version: '9.9.9', failureOf, ...more }) };
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: unknown;
  /** @default tenantA */
  readonly tenant?: TenantContext | Error;
}

/** Sends one request. @returns the answer, with its JSON if it is one */
export async function send(
  app: ServingApp,
  { method, path, headers = {}, query = {}, body, tenant = tenantA }: Call,
) {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const request: ServingRequest = {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    ...{ path, headers, query, requestId: 'request-1' },
    body: isRaw ? body : JSON.stringify(body),
    tenant() {
      if (tenant instanceof Error) throw tenant;
      return tenant;
    },
  };
  const answer = await app.handle(request);
  const text = typeof answer.body === 'string' ? answer.body : '';
  const isJson = /json/.test(answer.headers['content-type'] ?? '') && text.trim() !== '';
  return { ...answer, json: (isJson ? JSON.parse(text) : undefined) as Record<string, never> | undefined };
}
