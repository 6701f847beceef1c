import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { SageMakerEndpoints } from '../../../src/adapters/aws/sagemaker-endpoints.ts';
import { environmentKept } from '../../support/environment.ts';
import { ownSessions } from '../../support/own-sessions.ts';
import { tenantA } from '../../support/tenants.ts';

let asked = 0;
const server = createServer((_, response) => {
  asked++;
  response.writeHead(503).end('busy');
});

const restore = environmentKept();
afterEach(() => {
  restore();
  server.close();
});

it('an endpoint that fails is asked once: its model may have run, and the function has no time for more', async () => {
  Object.assign(process.env, {
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoints = new SageMakerEndpoints({ region: 'us-east-1', endpoint, sessions: ownSessions });
  await expect(endpoints.invoke(tenantA, 'big', '{}')).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
  expect(asked).toBe(1);
});
