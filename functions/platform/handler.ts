import document from '../../docs/openapi.json' with { type: 'json' };
import { documentationPage } from '../../src/adapters/aws/lambda/documentation-page.ts';
import { httpFunction } from '../../src/adapters/aws/lambda/http-function.ts';
import { StoreProbes } from '../../src/adapters/aws/store-probes.ts';
import { systemClock } from '../../src/clock.ts';
import { dynamodb, s3 } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';

const probes = new StoreProbes(
  {
    table: { client: dynamodb().own, name: config.servingTable },
    bucket: { client: s3().own, name: config.artifactBucket },
  },
  systemClock,
);

export const handler = httpFunction(
  {
    health: async ({ requestId }) => {
      const checks = await probes.run();
      const healthy = Object.values(checks).every(({ status }) => status === 'healthy');
      return {
        status: healthy ? 200 : 503,
        body: { status: healthy ? 'healthy' : 'unhealthy', checks, request_id: requestId },
      };
    },
    openapi: async () => ({ body: document, headers: { 'cache-control': 'public, max-age=300' } }),
  },
  { fallback: documentationPage },
);
