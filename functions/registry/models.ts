import { entityTag } from '../../src/adapters/aws/lambda/entity-tag.ts';
import type { Answer, Operations } from '../../src/adapters/aws/lambda/http-function.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import { deleteModel } from '../../src/registry/deletion.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { isForced } from './forced.ts';
import type { RegistryParts } from './registry-parts.ts';

/** Models as a whole, and their aliases. */
export function modelOperations(parts: RegistryParts) {
  const { registry, catalog } = parts;
  const shown = async (tenant: TenantContext, model: ModelName): Promise<Answer> => {
    const { rowVersion, ...body } = await registry.model(tenant, model);
    return { body, headers: { etag: entityTag(rowVersion) } };
  };
  return {
    listModels: async ({ tenant, query: { archived, ...query } }) => {
      const { items, nextCursor } = await registry.list(tenant, { ...query, archived: archived === 'true' });
      return { body: { items, next_cursor: nextCursor } };
    },
    getModel: ({ tenant, params }) => shown(tenant, params.model_name),
    updateModel: async ({ tenant, params, body, ifMatch }) => {
      await catalog.update(tenant, params.model_name, body, { ifMatch });
      return shown(tenant, params.model_name);
    },
    deleteModel: async ({ tenant, params, query }) => ({
      body: await deleteModel(tenant, params.model_name, { force: isForced(tenant, query) }, parts),
    }),
    listAliases: async ({ tenant, params }) => ({
      body: { items: await catalog.aliases(tenant, params.model_name) },
    }),
    setAlias: async ({ tenant, params, body, ifMatch }) => ({
      body: await catalog.setAlias(tenant, params.model_name, params.alias, body.version, { ifMatch }),
    }),
    removeAlias: async ({ tenant, params, ifMatch }) => {
      await catalog.removeAlias(tenant, params.model_name, params.alias, { ifMatch });
      return { body: { items: await catalog.aliases(tenant, params.model_name) } };
    },
  } satisfies Operations;
}
