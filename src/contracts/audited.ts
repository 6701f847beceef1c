/** How each operation that changes something is recorded. */
import { type OperationId, type Route, routes } from './routes.ts';

/**
 * `registry`: in the transaction that makes the change. `trail`: as an entry of its own, written before the change.
 */
export type AuditKind = 'registry' | 'trail';

/** Changes that are data and not administration: each leaves a record of its own, with time, caller and request. */
const recordedByThemselves: Readonly<Partial<Record<OperationId, string>>> = {
  predict: 'the prediction log',
  predictAlias: 'the prediction log',
  predictBatch: 'the prediction log',
  infer: 'the prediction log',
  inferVersion: 'the prediction log',
  invocations: 'the prediction log',
  targetedInvocations: 'the prediction log',
  recordFeedback: 'the feedback itself, which names who gave it',
};

/** @returns `undefined` for what changes nothing, or is recorded by itself */
export function auditKind(id: OperationId): AuditKind | undefined {
  const route: Route = routes[id];
  if (route.method === 'GET' || !route.authorized || id in recordedByThemselves) return undefined;
  return route.function === 'registry' ? 'registry' : 'trail';
}
