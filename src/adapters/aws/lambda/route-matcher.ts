import { addRoute, createRouter, findRoute } from 'rou3';
import { type OperationId, type Route, routes } from '../../../contracts/routes.ts';

export type Match =
  | { readonly kind: 'found'; readonly operationId: OperationId; readonly params: Record<string, string> }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'not-found' };

/** @returns a matcher over the routes that one function serves. */
export function routeMatcher(operationIds: readonly OperationId[]): (method: string, path: string) => Match {
  const router = createRouter<OperationId>();
  const methods = new Set<string>();
  for (const operationId of operationIds) {
    const route: Route = routes[operationId];
    methods.add(route.method);
    addRoute(router, route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), operationId);
  }
  return (method, path) => {
    const hit = findRoute(router, method, path);
    if (hit !== undefined) return { kind: 'found', operationId: hit.data, params: hit.params ?? {} };
    const allowed = [...methods].filter((other) => findRoute(router, other, path) !== undefined);
    return allowed.length > 0 ? { kind: 'wrong-method', allowed } : { kind: 'not-found' };
  };
}
