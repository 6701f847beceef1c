import { describe, expect, it } from 'vitest';
import { TenantContext } from '../../../../src/tenancy/tenant-context.ts';
import { send, servingApp } from '../../../support/serving-call.ts';

const caller = (role: string, scope?: string): TenantContext =>
  TenantContext.fromClaims({ tenant: 'aa', role, scope, expires_at: 4_102_444_800 } as never, 'r', 0);
/** Nothing is deployed: who may ask is told so, in whatever dialect. */
const { app } = servingApp({ pointer: async () => undefined } as never);

const dialects = [
  ['the native dialect', '/api/v1/ml/predict/m', 'code', 'SCOPE_MISSING'],
  ['the Open Inference Protocol', '/v2/models/m/infer', 'error', /^SCOPE_MISSING: .*predict/],
  ["MLflow's scoring", '/endpoints/m/invocations', 'error_code', 'PERMISSION_DENIED'],
] as const;

describe('who may not predict', () => {
  it.each(dialects)('is refused in %s, before the body is looked at', async (_, path, field, code) => {
    const { status, json } = await send(app, { path, body: '{', tenant: caller('viewer') });
    expect([status, json![field]]).toEqual([403, expect.stringMatching(code)]);
  });

  it.each(dialects)('is refused in %s with a token that leaves it out', async (_, path) => {
    const tenant = caller('admin', 'models:read data:read');
    expect((await send(app, { path, body: {}, tenant })).status).toBe(403);
  });

  it.each(dialects)('is another than who may, in %s', async (_, path) => {
    expect((await send(app, { path, body: '{', tenant: caller('service') })).status).not.toBe(403);
  });
});

it('shows the prediction log to no application that only predicts', async () => {
  for (const path of ['/api/v1/ml/predictions', '/api/v1/ml/predictions/x'])
    expect((await send(app, { path, tenant: caller('service') })).json!.code).toBe('SCOPE_MISSING');
});

it('asks who only probes for nothing', async () => {
  const tenant = new Error('nobody is known');
  for (const path of ['/v2/health/live', '/v2/health/ready', '/v2', '/ping'])
    expect((await send(app, { path, tenant })).status).toBe(200);
});
