import { httpFunction } from '../../src/adapters/aws/lambda/http-function.ts';
import { isoAt } from '../../src/clock.ts';
import { artifactStore } from '../../src/composition/artifacts.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';
import { deploymentView, metadataView, servingView } from '../../src/registry/registry-view.ts';

const { registry, promotion } = controlPlane();
const artifacts = artifactStore();

export const handler = httpFunction({
  listModels: async ({ tenant, query }) => {
    const { items, nextCursor } = await registry.list(tenant, query);
    return { body: { items, next_cursor: nextCursor } };
  },
  getModel: async ({ tenant, params }) => ({ body: await registry.model(tenant, params.model_name) }),
  getModelMetadata: async ({ tenant, params, query }) => ({
    body: metadataView(await registry.version(tenant, params.model_name, query.version)),
  }),
  getModelArtifact: async ({ tenant, params }) => {
    const version = await registry.version(tenant, params.model_name, params.model_version);
    const { url, expiresAtMs } = await artifacts.link(tenant, params.model_name, version.build_id);
    return {
      body: { url, sha256: version.sha256, bytes: version.artifact_bytes, expires_at: isoAt(expiresAtMs) },
    };
  },
  deployModel: async ({ tenant, params }) => ({
    body: deploymentView(await promotion.deploy(tenant, params.model_name, params.model_version)),
  }),
  getServing: async ({ tenant, params }) => ({ body: await registry.serving(tenant, params.model_name) }),
  putServing: async ({ tenant, params, body }) => ({
    body: servingView(await promotion.configure(tenant, params.model_name, body)),
  }),
  deleteModelVersion: async ({ tenant, params, query }) => {
    const force = query.force === 'true';
    const { version } = await promotion.retire(tenant, params.model_name, params.model_version, { force });
    // The row goes last: a deletion that was interrupted can be sent again until nothing is left.
    await artifacts.remove(tenant, params.model_name, version.build_id);
    await registry.remove(tenant, params.model_name, version.version);
    return { body: { model_name: params.model_name, model_version: version.version, status: 'deleted' } };
  },
});
