/** Which function serves which part of the HTTP surface: the greedy routes of API Gateway, one line each. */

/** Functions that answer HTTP requests. */
export type HttpFunction =
  | 'predict'
  | 'train'
  | 'datasets'
  | 'registry'
  | 'monitoring'
  | 'tenant'
  | 'platform';

export interface GatewayRoute {
  /** Route key in API Gateway's notation. */
  readonly routeKey: string;
  readonly function: HttpFunction;
  /** Whether the request authorizer runs before the function. */
  readonly authorized: boolean;
}

const authorized = (fn: HttpFunction, ...paths: string[]): GatewayRoute[] =>
  paths.map((path) => ({ routeKey: `ANY ${path}`, function: fn, authorized: true }));

const open = (fn: HttpFunction, ...paths: string[]): GatewayRoute[] =>
  paths.map((path) => ({ routeKey: `ANY ${path}`, function: fn, authorized: false }));

/**
 * Greedy on purpose: API Gateway holds at most 300 routes, and every route would need a permission of its
 * own. The exact method and path are matched inside the function, from the route table.
 */
export const gatewayRoutes: readonly GatewayRoute[] = [
  ...authorized('predict', '/api/v1/ml/predict/{proxy+}', '/api/ml/predict/{proxy+}', '/v2/models/{proxy+}'),
  ...authorized('predict', '/endpoints/{proxy+}', '/invocations', '/api/v1/ml/cache'),
  ...authorized('predict', '/api/v1/ml/predictions', '/api/v1/ml/predictions/{proxy+}'),
  // What probes ask before they have a token, and tells nothing of a tenant.
  ...open('predict', '/v2', '/v2/health/{proxy+}', '/ping'),
  ...authorized(
    'train',
    '/api/v1/ml/train',
    '/api/v1/ml/batch-predict',
    '/api/v1/ml/jobs',
    '/api/v1/ml/jobs/{proxy+}',
  ),
  ...authorized('datasets', '/api/v1/ml/datasets', '/api/v1/ml/datasets/{proxy+}'),
  // Beside the registry: files come in where data does.
  ...authorized(
    'datasets',
    '/api/v1/ml/models/{model_name}/imports',
    '/api/v1/ml/models/{model_name}/imports/{proxy+}',
  ),
  // What needs no Postgres, of paths below a model.
  ...authorized('monitoring', '/api/v1/ml/feedback', '/api/v1/ml/models/{model_name}/performance'),
  ...authorized('train', '/api/v1/ml/models/{model_name}/retrain'),
  ...authorized('registry', '/api/v1/ml/models', '/api/v1/ml/models/{proxy+}', '/api/v1/ml/deploy/{proxy+}'),
  ...authorized('registry', '/api/v1/ml/registry', '/api/v1/ml/audit', '/api/v1/ml/health/database'),
  ...authorized('tenant', '/api/v1/ml/api-keys', '/api/v1/ml/api-keys/{proxy+}', '/api/v1/ml/settings'),
  ...authorized('tenant', '/api/v1/ml/members', '/api/v1/ml/members/{proxy+}'),
  // Whatever matches nothing above is answered by `platform`: health, documentation, and 404 as a problem.
  { routeKey: '$default', function: 'platform', authorized: false },
];
