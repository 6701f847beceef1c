import type { EnvironmentDeployment } from '../contracts/environments.ts';
import type { MLModelMetadata, ModelDeploymentResponse } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { ServingConfiguration } from '../contracts/serving.ts';
import type { Deployment, EnvironmentChange, VersionArtifact } from './model-registry.ts';

/** @returns what a caller sees of a version: not where its bytes are */
export function metadataView(version: MLModelMetadata & VersionArtifact): MLModelMetadata {
  const {
    artifactKey: _a,
    artifactSha256: _b,
    artifactBytes: _c,
    manifestKey: _d,
    manifestSha256: _e,
    rowVersion: _f,
    signature: _g,
    ...view
  } = version;
  return view;
}

export function deploymentView(deployment: Deployment): ModelDeploymentResponse {
  return {
    model_name: deployment.modelName,
    model_version: deployment.champion!.version,
    ...(deployment.previousVersion === undefined ? {} : { previous_version: deployment.previousVersion }),
    revision: deployment.revision,
    status: 'deployed',
    deployed_at: deployment.deployedAt,
  };
}

export const environmentView = (model: ModelName, change: EnvironmentChange): EnvironmentDeployment => ({
  model_name: model,
  environment: change.environment,
  ...(change.version === undefined ? {} : { model_version: change.version }),
  ...(change.previousVersion === undefined ? {} : { previous_version: change.previousVersion }),
  revision: change.revision,
  status: change.version === undefined ? 'withdrawn' : 'deployed',
  deployed_at: change.at,
});

export function servingView({ modelName, revision, champion, traffic }: Deployment): ServingConfiguration {
  const { canary, shadow, settings } = traffic;
  return {
    model_name: modelName,
    revision,
    ...(champion === undefined ? {} : { champion_version: champion.version }),
    ...(canary === undefined ? {} : { canary: { version: canary.version, weight: canary.weight } }),
    ...(shadow === undefined ? {} : { shadow: { version: shadow.version } }),
    settings,
  };
}
