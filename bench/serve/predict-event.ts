import type { HttpEvent } from '../../src/adapters/aws/lambda/http-function.ts';

/** A predict call as API Gateway hands it on (payload 2.0), with the authorizer's verdict. */
export const predictEvent = (tenant: string, body: unknown): HttpEvent =>
  ({
    version: '2.0',
    routeKey: 'ANY /api/v1/ml/predict/{proxy+}',
    rawPath: '/api/v1/ml/predict/income',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', accept: '*/*', 'user-agent': 'bench' },
    body: JSON.stringify(body),
    isBase64Encoded: false,
    requestContext: {
      http: { method: 'POST', path: '/api/v1/ml/predict/income' },
      requestId: 'bench-request',
      authorizer: { lambda: { tenant, role: 'admin', subject: 'bench', expires_at: 4_102_444_800 } },
    },
  }) as unknown as HttpEvent;
