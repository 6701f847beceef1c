import { httpFunction } from '../../src/composition/http-function.ts';
import { tenantPlane } from '../../src/composition/tenant-plane.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';

const { apiKeys, members, settings } = tenantPlane();

/** Of who changes who may do what, more is asked than the gateway remembers. */
const changing = async <Answer>(tenant: TenantContext, work: () => Promise<Answer>): Promise<Answer> => {
  await apiKeys.checkNotRevoked(tenant);
  return work();
};

export const handler = httpFunction({
  createApiKey: async ({ tenant, body }) =>
    changing(tenant, async () => ({ body: await apiKeys.create(tenant, body) })),
  listApiKeys: async ({ tenant }) => ({ body: { items: await apiKeys.list(tenant) } }),
  revokeApiKey: async ({ tenant, params: { key_id } }) =>
    changing(tenant, async () => {
      await apiKeys.revoke(tenant, key_id);
      return { body: { key_id, status: 'revoked' } };
    }),
  getSettings: async ({ tenant }) => ({ body: await settings.get(tenant) }),
  putSettings: async ({ tenant, body }) =>
    changing(tenant, async () => ({ body: await settings.put(tenant, body) })),
  listMembers: async ({ tenant, query }) => {
    const { items, nextCursor } = await members.list(tenant, query);
    return { body: { items, next_cursor: nextCursor } };
  },
  getMember: async ({ tenant, params }) => ({ body: await members.get(tenant, params.subject) }),
  putMember: async ({ tenant, params, body }) =>
    changing(tenant, async () => ({ body: await members.put(tenant, params.subject, body.role) })),
  removeMember: async ({ tenant, params: { subject } }) =>
    changing(tenant, async () => {
      await members.remove(tenant, subject);
      return { body: { subject, status: 'removed' } };
    }),
});
