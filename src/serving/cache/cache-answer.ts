import { isoAt } from '../../clock.ts';
import type { TenantCacheView } from './cache-events.ts';

/** What `GET /api/v1/ml/cache` answers to a tenant: its own models, totals and bounds. */
export function cacheAnswer(tenantId: string, view: TenantCacheView) {
  return {
    tenant_id: tenantId,
    models: view.models.map(({ id, state, bytes, hits, lastUsedMs, inUse, segment }) => {
      // As the predictor builds it: no model name holds the separator.
      const [modelId, manifestSha256, part] = id.split('@');
      return {
        model_id: modelId!,
        manifest_sha256: manifestSha256!,
        kind: part === undefined ? 'model' : part === 'explainer' ? 'explainer' : 'endpoint',
        state,
        bytes,
        hits,
        last_used_at: isoAt(lastUsedMs),
        in_use: inUse,
        segment,
      };
    }),
    totals: {
      models: view.models.length,
      reserved_bytes: view.reservedBytes,
      loaded_bytes: view.loadedBytes,
      releasing_bytes: view.releasingBytes,
      hits: view.hits,
      misses: view.misses,
    },
    limits: { max_bytes: view.maxBytes, max_models: view.maxModels },
  };
}
