import { datasetRoutes } from './dataset-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { monitoringRoutes } from './monitoring-routes.ts';
import { platformRoutes } from './platform-routes.ts';
import { predictionRoutes } from './prediction-routes.ts';
import { protocolRoutes } from './protocol-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import type { Route } from './route.ts';
import { tenantRoutes } from './tenant-routes.ts';
import { trainingRoutes } from './training-routes.ts';

/** The route table: validation, dispatch, OpenAPI and the typed client all come from here. */
export const routes = {
  ...datasetRoutes,
  ...trainingRoutes,
  ...registryRoutes,
  ...modelRoutes,
  ...predictionRoutes,
  ...protocolRoutes,
  ...monitoringRoutes,
  ...tenantRoutes,
  ...platformRoutes,
} as const satisfies Record<string, Route>;

export type { Route };
export type OperationId = keyof typeof routes;
