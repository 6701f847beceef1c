import type { ModelName } from '../../contracts/names.ts';
import type { Scope } from '../../contracts/scopes.ts';
import { MLFrameworkError, ValidationError } from '../../errors.ts';

/** How a caller speaks, and is spoken to. */
export type Dialect = 'native' | 'open-inference' | 'scoring';

export type ServingOperation =
  | 'predict'
  | 'predict-batch'
  | 'predict-alias'
  | 'cache'
  | 'predictions'
  | 'shadow'
  | 'prediction'
  | 'server-metadata'
  | 'server-live'
  | 'server-ready'
  | 'model-metadata'
  | 'model-ready'
  | 'infer'
  | 'ping'
  | 'version'
  | 'invocations';

export interface ServingRoute {
  readonly operation: ServingOperation;
  readonly method: 'GET' | 'POST';
  /** Percent-decoded. */
  readonly model?: string;
  readonly version?: string;
  readonly predictionId?: string;
}

/** A path that the serving plane has not, or a method that the path has not. */
export class ServingRouteError extends MLFrameworkError {}

const part = '([^/]+)';
const patterns: readonly (readonly [RegExp, 'GET' | 'POST', ServingOperation])[] = [
  [new RegExp(`^/api/v1/ml/predict/${part}$`), 'POST', 'predict'],
  [new RegExp(`^/v2/models/${part}(?:/versions/${part})?/infer$`), 'POST', 'infer'],
  [new RegExp(`^/endpoints/${part}/invocations$`), 'POST', 'invocations'],
  [new RegExp(`^/api/v1/ml/predict/${part}/batch$`), 'POST', 'predict-batch'],
  [new RegExp(`^/api/ml/predict/${part}$`), 'POST', 'predict-alias'],
  [new RegExp(`^/v2/models/${part}(?:/versions/${part})?/ready$`), 'GET', 'model-ready'],
  [new RegExp(`^/v2/models/${part}(?:/versions/${part})?$`), 'GET', 'model-metadata'],
  [/^\/v2\/health\/live$/, 'GET', 'server-live'],
  [/^\/v2\/health\/ready$/, 'GET', 'server-ready'],
  [/^\/v2\/?$/, 'GET', 'server-metadata'],
  [new RegExp(`^/endpoints/${part}/(?:ping|health)$`), 'GET', 'ping'],
  [new RegExp(`^/endpoints/${part}/version$`), 'GET', 'version'],
  [/^\/invocations$/, 'POST', 'invocations'],
  [/^\/(?:ping|health)$/, 'GET', 'ping'],
  [/^\/version$/, 'GET', 'version'],
  [/^\/api\/v1\/ml\/cache$/, 'GET', 'cache'],
  [/^\/api\/v1\/ml\/predictions$/, 'GET', 'predictions'],
  [/^\/api\/v1\/ml\/predictions\/shadow$/, 'GET', 'shadow'],
  [/^\/api\/v1\/ml\/predictions\/([\w-]+)$/, 'GET', 'prediction'],
];

/** What a caller needs, where there has to be one: as the route table states it. */
export const scopeOf: Readonly<Record<ServingOperation, Scope | undefined>> = {
  predict: 'predict',
  'predict-batch': 'predict',
  'predict-alias': 'predict',
  infer: 'predict',
  invocations: 'predict',
  cache: 'models:read',
  'model-metadata': 'models:read',
  'model-ready': 'models:read',
  // Of a named model.
  ping: 'models:read',
  predictions: 'data:read',
  shadow: 'data:read',
  prediction: 'data:read',
  'server-metadata': undefined,
  'server-live': undefined,
  'server-ready': undefined,
  version: undefined,
};

/** @returns the dialect that a path belongs to, also when there is no such path */
export function dialectOf(path: string): Dialect {
  if (path === '/v2' || path.startsWith('/v2/')) return 'open-inference';
  return path.startsWith('/api/') ? 'native' : 'scoring';
}

/** @throws {ServingRouteError} ROUTE_NOT_FOUND or METHOD_NOT_ALLOWED */
export function routeOf(sentMethod: string, path: string): ServingRoute {
  // The transport leaves the body out (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2).
  const method = sentMethod === 'HEAD' ? 'GET' : sentMethod;
  let allowed: string | undefined;
  for (const [pattern, itsMethod, operation] of patterns) {
    const match = pattern.exec(path);
    if (match === null) continue;
    if (method !== itsMethod) {
      allowed = itsMethod;
      continue;
    }
    const [, model, version] = match;
    if (operation === 'prediction') return { operation, method: itsMethod, predictionId: model! };
    return {
      operation,
      method: itsMethod,
      ...(model === undefined ? {} : { model: decoded(model) }),
      ...(version === undefined ? {} : { version: decoded(version) }),
    };
  }
  if (allowed !== undefined)
    throw new ServingRouteError('METHOD_NOT_ALLOWED', `${method} is not allowed here; use ${allowed}`, {
      evidence: { allow: allowed },
    });
  throw new ServingRouteError('ROUTE_NOT_FOUND', 'no such path; GET /openapi.json lists all of them');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const modelPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** @throws {ValidationError} when it is no name of a model */
export function modelNameOf(text: string): ModelName {
  if (modelPattern.test(text)) return text as ModelName;
  throw new ValidationError(
    'path /model_name: must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit',
    { errors: [{ pointer: '/model_name', detail: 'not a model name' }] },
  );
}
