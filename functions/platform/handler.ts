import document from '../../docs/openapi.json' with { type: 'json' };
import { documentationPage } from '../../src/adapters/aws/lambda/documentation-page.ts';
import { httpFunction } from '../../src/adapters/aws/lambda/http-function.ts';
import { storeProbes } from '../../src/composition/health.ts';

const probes = storeProbes();

export const handler = httpFunction(
  {
    health: async ({ requestId }) => {
      const checks = await probes.run();
      const isUnhealthy = Object.values(checks).some(({ status }) => status === 'unhealthy');
      return {
        status: isUnhealthy ? 503 : 200,
        body: { status: isUnhealthy ? 'unhealthy' : 'healthy', checks, request_id: requestId },
      };
    },
    openapi: async () => ({ body: document, headers: { 'cache-control': 'public, max-age=300' } }),
  },
  { fallback: documentationPage },
);
