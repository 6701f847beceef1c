import { auditCursor, auditPosition } from '../../src/adapters/audit-cursor.ts';
import type { Operations } from '../../src/adapters/aws/lambda/http-function.ts';
import { isoAt, systemClock } from '../../src/clock.ts';
import { auditPage } from '../../src/registry/audit-log.ts';
import { lineageGraph } from '../../src/registry/lineage.ts';
import { importRegistry } from '../../src/registry/registry-archive.ts';
import type { RegistryParts } from './registry-parts.ts';

/** What happened, the registry as a document, and whether it is there. */
export function archiveOperations({ database, history, archive, artifacts, trail }: RegistryParts) {
  return {
    databaseHealth: async ({ tenant, requestId }) => ({
      body: { status: 'healthy', latency_ms: await database.ping(tenant), request_id: requestId },
    }),
    getLineage: async ({ tenant, params, query }) => ({
      body: lineageGraph(await history.lineage(tenant, params.model_name, query.version)),
    }),
    listAudit: async ({ tenant, query: { cursor, ...query } }) => {
      const after = cursor === undefined ? undefined : auditPosition(cursor);
      const { items, next } = await auditPage(tenant, { ...query, after }, { history, trail });
      return { body: { items, next_cursor: next && auditCursor(next) } };
    },
    exportRegistry: async ({ tenant, query }) => {
      const { models, nextCursor } = await archive.export(tenant, query);
      return {
        body: {
          ...{ format: 'tenantml.registry', format_version: 1, exported_at: isoAt(systemClock.nowMs()) },
          ...{ models, next_cursor: nextCursor },
        },
      };
    },
    importRegistry: async ({ tenant, body }) => ({
      body: await importRegistry(tenant, body, { archive, artifacts }),
    }),
  } satisfies Operations;
}
