import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Clock } from '../../../clock.ts';
import type { ServingApp } from '../../../serving/http/serving-app.ts';
import type { ServingRequest, ServingResponse } from '../../../serving/http/serving-message.ts';
import { TenantContext } from '../../../tenancy/tenant-context.ts';
import { answerAndExit } from './answer-and-exit.ts';
import type { HttpEvent } from './http-function.ts';
import type { RequestFigures } from './request-figures.ts';

/** What serves, and what is done around calls: a function is frozen between them, so that nothing may wait for a timer. */
export interface PredictPlane {
  readonly app: ServingApp;
  readonly clock: Clock;
  readonly figures: RequestFigures;
  /** Before the answer leaves. @returns whether the process is to be replaced by a new one */
  afterCall?(): boolean | Promise<boolean>;
}

export interface PredictFunctionOptions {
  /** What the first call waits for. */
  readonly ready?: Promise<unknown>;
  /** Host and port of the Runtime API, over which a spent process answers its last call. @default - it lives on */
  readonly runtimeApi?: string | undefined;
}

const noQuery: Readonly<Record<string, string>> = {};

/** Carries an HTTP API event to the serving plane and its answer back. */
export function predictFunction(plane: PredictPlane, options: PredictFunctionOptions = {}) {
  const { app, clock, figures } = plane;
  let { ready } = options;
  return async (
    event: HttpEvent,
    context?: Pick<Context, 'awsRequestId'>,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    if (ready !== undefined) {
      await ready;
      ready = undefined;
    }
    const startMs = clock.nowMs();
    const response = await app.handle(requestOf(event, clock));
    figures.add(response.status, clock.nowMs() - startMs);
    const isSpent = await plane.afterCall?.();
    const answer = answerOf(response);
    if (isSpent === true && options.runtimeApi !== undefined && context !== undefined) {
      figures.flush();
      const call = { runtimeApi: options.runtimeApi, awsRequestId: context.awsRequestId, answer };
      // A runtime that does not take the answer from here gets it as usual, and the process lives on.
      await answerAndExit(call).catch(() => {});
    }
    return answer;
  };
}

function answerOf({ status, headers, body }: ServingResponse): APIGatewayProxyStructuredResultV2 {
  if (typeof body === 'string') return { statusCode: status, headers, body };
  const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
  return { statusCode: status, headers, body: base64, isBase64Encoded: true };
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
