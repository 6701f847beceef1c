import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Clock } from '../../../clock.ts';
import type { ModelName } from '../../../contracts/names.ts';
import { MLFrameworkError, ValidationError } from '../../../errors.ts';
import type { Predictor } from '../../../serving/predictor.ts';
import { TenantContext } from '../../../tenancy/tenant-context.ts';
import { fittingAnswer } from './answer-size.ts';
import type { HttpEvent } from './http-function.ts';
import { logger, MetricUnit, metrics } from './observability.ts';
import { failureResponse } from './problem-response.ts';
import { jsonBody } from './request-body.ts';

const maxBodyBytes = 4 * 1024 * 1024;
const nativePath = /^\/api\/v1\/ml\/predict\/([^/]+)$/;
const aliasPath = /^\/api\/ml\/predict\/([^/]+)$/;
const modelPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

class PredictRouteError extends MLFrameworkError {}

/**
 * The prediction route. It is matched and checked by hand: the route table's schemas and the router would
 * cost more to load than a prediction takes.
 */
export function predictFunction(predictor: Predictor, clock: Clock) {
  async function answer(event: HttpEvent): Promise<APIGatewayProxyStructuredResultV2> {
    const { method, path } = event.requestContext.http;
    const requestId = event.requestContext.requestId;
    const native = nativePath.exec(path);
    const match = native ?? aliasPath.exec(path);
    if (match === null)
      throw new PredictRouteError('ROUTE_NOT_FOUND', 'no such path; GET /openapi.json lists all of them');
    if (method !== 'POST')
      throw new PredictRouteError('METHOD_NOT_ALLOWED', `${method} is not allowed here; use POST`, {
        evidence: { allow: 'POST' },
      });
    const tenant = TenantContext.fromClaims(
      event.requestContext.authorizer?.lambda ?? undefined,
      requestId,
      clock.nowMs(),
    );
    const model = match[1]!;
    if (!modelPattern.test(model)) {
      throw new ValidationError(
        'path /model_name: must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit',
        {
          errors: [{ pointer: '/model_name', detail: 'not a model name' }],
        },
      );
    }
    const body = jsonBody(event, maxBodyBytes);
    if (native === null) {
      const prediction = await predictor.predict(tenant, model as ModelName, bareRow(body));
      return ok({ prediction: { ...prediction, request_id: requestId } });
    }
    const result = await predictor.predict(tenant, model as ModelName, inputData(body));
    return ok(Array.isArray(result) ? result : { ...result, request_id: requestId });
  }

  const handler = async (event: HttpEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const { requestId, http } = event.requestContext;
    const startMs = clock.nowMs();
    logger.setCorrelationId(requestId);
    let response: APIGatewayProxyStructuredResultV2;
    try {
      response = await answer(event);
    } catch (error) {
      response = failureResponse(error, { instance: http.path, requestId });
    }
    const status = response.statusCode!;
    const single = metrics.singleMetric();
    single.addDimension('outcome', status >= 500 ? 'error' : status >= 400 ? 'refused' : 'ok');
    single.addMetric('predictions_duration', MetricUnit.Milliseconds, clock.nowMs() - startMs);
    logger.info('request', {
      method: http.method,
      path: http.path,
      status,
      duration_ms: clock.nowMs() - startMs,
    });
    return { ...response, headers: { ...response.headers, 'x-request-id': requestId } };
  };

  return middy(handler).use(injectLambdaContext(logger, { resetKeys: true }));
}

const ok = (body: unknown): APIGatewayProxyStructuredResultV2 => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: fittingAnswer(JSON.stringify(body)),
});

function inputData(body: unknown): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || !Object.hasOwn(body, 'input_data')) {
    throw new ValidationError('body must be an object with input_data', {
      errors: [{ pointer: '/input_data', detail: 'required' }],
    });
  }
  const extra = Object.keys(body).find((name) => name !== 'input_data');
  if (extra !== undefined) {
    throw new ValidationError(
      `body has the unknown field ${JSON.stringify(extra.slice(0, 100))}; it takes input_data only`,
      {
        errors: [{ pointer: `/${extra.slice(0, 100)}`, detail: 'unknown field' }],
      },
    );
  }
  return (body as { input_data: unknown }).input_data;
}

function bareRow(body: unknown): unknown {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new ValidationError('body must be an object of features', {
    errors: [{ pointer: '', detail: 'not an object' }],
  });
}
