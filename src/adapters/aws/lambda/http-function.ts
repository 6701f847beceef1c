import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { z } from 'zod';
import { type Clock, systemClock } from '../../../clock.ts';
import { auditKind } from '../../../contracts/audited.ts';
import { parseWith } from '../../../contracts/parse-with.ts';
import { type OperationId, type Route, routes } from '../../../contracts/routes.ts';
import { MLFrameworkError } from '../../../errors.ts';
import type { AuditTrail } from '../../../tenancy/audit-trail.ts';
import { requireScope } from '../../../tenancy/scopes.ts';
import { TenantContext, type VerifiedClaims } from '../../../tenancy/tenant-context.ts';
import { fittingAnswer } from './answer-size.ts';
import { recorded } from './audited-operation.ts';
import { expectedVersion } from './entity-tag.ts';
import type { Idempotency } from './idempotency.ts';
import { logger, MetricUnit, metrics } from './observability.ts';
import { failureResponse } from './problem-response.ts';
import { jsonBody } from './request-body.ts';
import { routeMatcher } from './route-matcher.ts';

/** An HTTP API event whose authorizer is ours. */
export type HttpEvent = APIGatewayProxyEventV2 & {
  requestContext: { authorizer?: { lambda?: VerifiedClaims | null } };
};

type Parsed<Schema> = Schema extends z.ZodType ? z.infer<Schema> : undefined;
type Part<R, Name extends string> = R extends Record<Name, infer Schema> ? Parsed<Schema> : undefined;

/** What an operation gets: everything parsed, the tenant verified. */
export interface Call<Id extends OperationId> {
  readonly tenant: (typeof routes)[Id]['authorized'] extends true ? TenantContext : undefined;
  readonly params: Part<(typeof routes)[Id], 'params'>;
  readonly query: Part<(typeof routes)[Id], 'query'>;
  readonly body: Part<(typeof routes)[Id], 'body'>;
  /** The version in `If-Match`, of a route that heeds it. */
  readonly ifMatch: number | undefined;
  readonly requestId: string;
}

export interface Answer {
  /** The route's first status when left out. */
  readonly status?: number;
  /** JSON, unless the headers say otherwise of a text. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Operations = { readonly [Id in OperationId]?: (call: Call<Id>) => Promise<Answer> };

/** Requests outside the route table, such as the documentation page; `undefined` means not found. */
export type Fallback = (event: HttpEvent) => Promise<APIGatewayProxyStructuredResultV2 | undefined>;

/** A path that no route has. */
export class RouteNotFoundError extends MLFrameworkError {}

/**
 * Makes the Lambda handler of an HTTP function: matches the route, makes the tenant context from the verified
 * claims, parses every part by its schema, runs the operation, and answers failures as problem documents.
 */
export function httpFunction(
  operations: Operations,
  options: {
    readonly clock?: Clock;
    readonly fallback?: Fallback;
    /** What remembers answers by `Idempotency-Key`. @default - nothing does */
    readonly idempotency?: () => Idempotency;
    /** Where changes beside Postgres are recorded. */
    readonly trail?: () => AuditTrail;
  } = {},
) {
  const clock = options.clock ?? systemClock;
  const match = routeMatcher(Object.keys(operations) as OperationId[]);
  const tracer = new Tracer();
  let trail: AuditTrail | undefined;
  const trailOf = (operationId: OperationId): AuditTrail => {
    trail ??= options.trail?.();
    if (trail === undefined)
      throw new Error(`${operationId} is to be recorded, and its function has no audit trail`);
    return trail;
  };
  let idempotency: Idempotency | undefined;

  async function dispatch(event: HttpEvent, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
    const { method, path } = event.requestContext.http;
    const requestId = event.requestContext.requestId;
    const found = match(method, path);
    if (found.kind !== 'found') {
      const other = await options.fallback?.(event);
      if (other !== undefined) return other;
      if (found.kind === 'wrong-method') {
        throw new RouteNotFoundError(
          'METHOD_NOT_ALLOWED',
          `${method} is not allowed here; use ${found.allowed.join(', ')}`,
          { evidence: { allow: found.allowed.join(', ') } },
        );
      }
      throw new RouteNotFoundError('ROUTE_NOT_FOUND', 'no such path; GET /openapi.json lists all of them');
    }
    const { operationId } = found;
    const route: Route = routes[operationId];
    logger.appendKeys({ operation: operationId });
    const tenant = route.authorized
      ? TenantContext.fromClaims(
          event.requestContext.authorizer?.lambda ?? undefined,
          requestId,
          clock.nowMs(),
        )
      : undefined;
    if (tenant !== undefined) {
      logger.appendKeys({ tenant: tenant.tenantId });
      if (route.scope !== undefined) requireScope(tenant, route.scope);
    }
    const call = {
      tenant,
      params: route.params === undefined ? undefined : parseWith(route.params, found.params, 'path'),
      query:
        route.query === undefined
          ? undefined
          : parseWith(route.query, event.queryStringParameters ?? {}, 'query'),
      body:
        route.body === undefined
          ? undefined
          : parseWith(route.body, jsonBody(event, route.maxBodyBytes ?? 256 * 1024), 'body'),
      ifMatch: route.conditional === true ? expectedVersion(event.headers['if-match']) : undefined,
      requestId,
    };
    const operation = operations[operationId] as (call: unknown) => Promise<Answer>;
    const work = async () => {
      const answer =
        tenant === undefined || auditKind(operationId) !== 'trail'
          ? await operation(call)
          : await recorded(trailOf(operationId), tenant, { operationId, ...call }, () => operation(call));
      return {
        statusCode: answer.status ?? Number(Object.keys(route.answers)[0]),
        headers: { 'content-type': 'application/json', ...answer.headers },
        body: fittingAnswer(isText(answer) ? String(answer.body) : JSON.stringify(answer.body)),
      };
    };
    const key = event.headers['idempotency-key'];
    const nothingToRemember =
      route.method !== 'POST' || route.holdsSecret || route.repeatable?.(call.body) === true;
    if (key === undefined || nothingToRemember || tenant === undefined) return work();
    idempotency ??= options.idempotency?.();
    if (idempotency === undefined) return work();
    return idempotency.run(
      { tenant, route: `${method} ${path}`, key, body: event.body ?? '' },
      context,
      work,
    );
  }

  const handler = async (event: HttpEvent, context: Context): Promise<APIGatewayProxyStructuredResultV2> => {
    const startMs = clock.nowMs();
    const { requestId, http } = event.requestContext;
    logger.setCorrelationId(requestId);
    let response: APIGatewayProxyStructuredResultV2;
    try {
      response = await dispatch(event, context);
    } catch (error) {
      response = failureResponse(error, { instance: http.path, requestId });
    }
    const status = response.statusCode ?? 200;
    const outcome = status >= 500 ? 'error' : status >= 400 ? 'refused' : 'ok';
    metrics.addDimension('outcome', outcome);
    metrics.addMetric('requests', MetricUnit.Count, 1);
    metrics.addMetric('duration', MetricUnit.Milliseconds, clock.nowMs() - startMs);
    logger.info('request', {
      method: http.method,
      path: http.path,
      status,
      duration_ms: clock.nowMs() - startMs,
    });
    return { ...response, headers: { ...response.headers, 'x-request-id': requestId } };
  };

  return middy(handler)
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .use(logMetrics(metrics, { throwOnEmptyMetrics: false }));
}

const isText = ({ headers }: Answer): boolean => headers?.['content-type']?.startsWith('text/') === true;
