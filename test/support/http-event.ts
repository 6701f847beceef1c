import type { Context } from 'aws-lambda';
import type { HttpEvent } from '../../src/adapters/aws/lambda/http-function.ts';

export const lambdaContext = {
  awsRequestId: 'invocation-1',
  functionName: 'test',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test',
  memoryLimitInMB: '512',
  logGroupName: 'group',
  logStreamName: 'stream',
  callbackWaitsForEmptyEventLoop: false,
  getRemainingTimeInMillis: () => 10_000,
} as unknown as Context;

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  /** The authorizer's context; `null` for a route without one. */
  readonly claims?: Record<string, unknown> | null;
}

/** An HTTP API event of payload 2.0, by default of tenant `aa`. */
export function httpEvent({
  method = 'GET',
  path,
  query,
  headers = {},
  body,
  isBase64Encoded,
  claims,
}: Request): HttpEvent {
  const authorizer =
    claims === null
      ? {}
      : {
          authorizer: {
            lambda: {
              tenant: 'aa',
              role: 'admin',
              subject: 'user-of-aa',
              expires_at: 4_102_444_800,
              ...claims,
            },
          },
        };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(query === undefined ? {} : { queryStringParameters: query }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: isBase64Encoded ?? false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: '127.0.0.1',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'request-1',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 0,
      ...authorizer,
    },
  } as HttpEvent;
}
