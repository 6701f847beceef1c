import type { Operations } from '../../src/adapters/aws/lambda/http-function.ts';
import { deploymentView, environmentView, servingView } from '../../src/registry/registry-view.ts';
import type { RegistryParts } from './registry-parts.ts';

/** What serves, and what has served. */
export function deploymentOperations({ registry, catalog, history, promotion }: RegistryParts) {
  return {
    deployModel: async ({ tenant, params, ifMatch }) => ({
      body: deploymentView(
        await promotion.deploy(tenant, params.model_name, params.model_version, { ifMatch }),
      ),
    }),
    listEnvironments: async ({ tenant, params }) => ({
      body: {
        model_name: params.model_name,
        items: await registry.environments(tenant, params.model_name),
      },
    }),
    putEnvironment: async ({ tenant, params: { model_name, environment }, body, ifMatch }) => {
      const { version, force, reason } = body;
      const options = { forced: force, reason, ifMatch };
      const change = await promotion.deployTo(tenant, model_name, environment, version, options);
      return { body: environmentView(model_name, change) };
    },
    deleteEnvironment: async ({ tenant, params: { model_name, environment }, ifMatch }) => ({
      body: environmentView(
        model_name,
        await promotion.deployTo(tenant, model_name, environment, undefined, { ifMatch }),
      ),
    }),
    getServing: async ({ tenant, params }) => ({ body: await registry.serving(tenant, params.model_name) }),
    putServing: async ({ tenant, params, body }) => ({
      body: servingView(await promotion.configure(tenant, params.model_name, body)),
    }),
    listDeployments: async ({ tenant, params, query }) => ({
      body: await history.deployments(tenant, params.model_name, query),
    }),
    rollback: async ({ tenant, params, body, ifMatch }) => {
      const { champion, revision, previousVersion } = await promotion.rollback(tenant, params.model_name, {
        ...{ toVersion: body.to_version, reason: body.reason, ifMatch },
      });
      const { version } = champion!;
      const reason = previousVersion === undefined ? 'nothing served' : `in place of ${previousVersion}`;
      return {
        body: {
          ...{ decision: 'deployed', reason, model_name: params.model_name, revision },
          ...{ model_version: version, champion_version: version },
        },
      };
    },
    promote: async ({ tenant, params, body, ifMatch }) => ({
      body: await promotion.promote(tenant, params.model_name, body, { ifMatch }),
    }),
    archiveOldVersions: async ({ tenant, params, body }) => ({
      body: await catalog.archiveOldVersions(tenant, params.model_name, { keepLatest: body.keep_latest }),
    }),
  } satisfies Operations;
}
