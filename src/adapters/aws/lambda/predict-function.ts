import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Clock } from '../../../clock.ts';
import type { ServingApp } from '../../../serving/http/serving-app.ts';
import type { ServingRequest } from '../../../serving/http/serving-message.ts';
import { TenantContext } from '../../../tenancy/tenant-context.ts';
import type { HttpEvent } from './http-function.ts';
import type { RequestFigures } from './request-figures.ts';

/** What is done around calls, since a function is frozen between them: nothing of it may wait for a timer. */
export interface CallHooks {
  /** Before the answer leaves. */
  afterCall?(): void | Promise<void>;
}

const noQuery: Readonly<Record<string, string>> = {};

/** Carries an HTTP API event to the serving plane and its answer back. */
export function predictFunction(
  app: ServingApp,
  { clock, figures, hooks = {} }: { clock: Clock; figures: RequestFigures; hooks?: CallHooks },
) {
  return async (event: HttpEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const startMs = clock.nowMs();
    const request = requestOf(event, clock);
    const response = await app.handle(request);
    const { status, headers, body } = response;
    figures.add(status, clock.nowMs() - startMs);
    if (hooks.afterCall !== undefined) await hooks.afterCall();
    if (typeof body === 'string') {
      return { statusCode: status, headers, body };
    }
    return {
      statusCode: status,
      headers,
      body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
      isBase64Encoded: true,
    };
  };
}

function requestOf(event: HttpEvent, clock: Clock): ServingRequest {
  const { http, requestId, authorizer } = event.requestContext;
  const { body, headers } = event;
  let tenant: TenantContext | undefined;
  return {
    method: http.method,
    path: http.path,
    query: event.queryStringParameters ?? noQuery,
    headers,
    body: event.isBase64Encoded && body !== undefined ? Buffer.from(body, 'base64') : body,
    requestId,
    tenant() {
      tenant ??= TenantContext.fromClaims(authorizer?.lambda ?? undefined, requestId, clock.nowMs());
      return tenant;
    },
  };
}
