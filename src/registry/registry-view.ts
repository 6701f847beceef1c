import type { MLModelMetadata, ModelDeploymentResponse } from '../contracts/models.ts';
import type { Deployment, VersionArtifact } from './model-registry.ts';

/** @returns what a caller sees of a version: not where its bytes are */
export function metadataView(version: MLModelMetadata & VersionArtifact): MLModelMetadata {
  const {
    artifactKey: _a,
    artifactSha256: _b,
    artifactBytes: _c,
    manifestKey: _d,
    manifestSha256: _e,
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
