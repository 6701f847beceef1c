import { entityTag } from '../../src/adapters/aws/lambda/entity-tag.ts';
import type { Operations } from '../../src/adapters/aws/lambda/http-function.ts';
import { deleteVersion } from '../../src/registry/deletion.ts';
import { modelCard, modelCardMarkdown } from '../../src/registry/model-card.ts';
import { metadataView } from '../../src/registry/registry-view.ts';
import { compareModelVersions } from '../../src/registry/version-comparison.ts';
import { artifactLink } from '../../src/training/artifact-link.ts';
import { isForced } from './forced.ts';
import type { RegistryParts } from './registry-parts.ts';

/** One version, or two of a model. */
export function versionOperations(parts: RegistryParts) {
  const { registry, catalog, promotion } = parts;
  return {
    listVersions: async ({ tenant, params, query }) => {
      const { items, nextCursor } = await catalog.versions(tenant, params.model_name, query);
      return { body: { items, next_cursor: nextCursor } };
    },
    createModelVersion: async ({ tenant, params, body }) => ({
      body: await catalog.create(tenant, params.model_name, body),
    }),
    getVersion: async ({ tenant, params }) => {
      const version = await registry.version(tenant, params.model_name, params.model_version);
      return { body: metadataView(version), headers: { etag: entityTag(version.rowVersion) } };
    },
    getModelMetadata: async ({ tenant, params, query }) => {
      const version = await registry.version(tenant, params.model_name, query.version);
      return { body: metadataView(version), headers: { etag: entityTag(version.rowVersion) } };
    },
    updateVersion: async ({ tenant, params, body, ifMatch }) => ({
      body: await catalog.updateVersion(tenant, params.model_name, params.model_version, body, { ifMatch }),
    }),
    transitionStage: async ({ tenant, params: { model_name, model_version }, body, ifMatch }) => {
      const { stage, force, reason } = body;
      if (stage !== 'Production')
        return {
          body: await catalog.transition(tenant, model_name, model_version, {
            stage,
            force,
            reason,
            ifMatch,
          }),
        };
      const options = { forced: force, reason, heedStage: true, ifMatch };
      const { champion } = await promotion.deploy(tenant, model_name, model_version, options);
      return { body: metadataView(await registry.version(tenant, model_name, champion!.version)) };
    },
    listStageTransitions: async ({ tenant, params }) => ({
      body: { items: await catalog.transitions(tenant, params.model_name, params.model_version) },
    }),
    getModelCard: async ({ tenant, params, query }) => {
      const card = modelCard(
        metadataView(await registry.version(tenant, params.model_name, params.model_version)),
      );
      return query.format === 'json'
        ? { body: card }
        : { body: modelCardMarkdown(card), headers: { 'content-type': 'text/markdown; charset=utf-8' } };
    },
    compareVersions: async ({ tenant, params, query }) => {
      const [a, b] = await Promise.all(
        [query.a, query.b].map((version) => registry.version(tenant, params.model_name, version)),
      );
      const options = { metricName: query.metric_name, improvementThreshold: query.improvement_threshold };
      return { body: compareModelVersions(a!, b!, options) };
    },
    getModelArtifact: async ({ tenant, params }) => {
      const version = await registry.version(tenant, params.model_name, params.model_version);
      return { body: await artifactLink(tenant, version, parts) };
    },
    deleteModelVersion: async ({ tenant, params: { model_name, model_version }, query }) => {
      const options = { force: isForced(tenant, query) };
      const version = await deleteVersion(tenant, model_name, model_version, options, parts);
      return { body: { model_name, model_version: version, status: 'deleted' } };
    },
  } satisfies Operations;
}
