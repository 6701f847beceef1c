import {
  type ManifestSignature,
  type MLModelMetadata,
  ModelManifest,
  type ModelVersion,
} from '../../contracts/models.ts';
import type { DatasetId, JobId, ModelName } from '../../contracts/names.ts';
import type { VersionArtifact } from '../../registry/model-registry.ts';

/** A row of `ml_model_versions`. */
export interface VersionRow {
  model_name: string;
  version: string;
  mlflow_version: number;
  build_id: string;
  stage: ModelVersion['stage'];
  task: ModelVersion['task'];
  algorithm: NonNullable<ModelVersion['algorithm']> | null;
  origin: ModelVersion['origin'];
  framework: NonNullable<ModelVersion['framework']> | null;
  metrics: Record<string, number>;
  manifest: unknown;
  artifact_key: string;
  artifact_sha256: string;
  artifact_bytes: string;
  manifest_key: string;
  manifest_sha256: string;
  manifest_signature: ManifestSignature | null;
  dataset_id: string | null;
  job_id: string;
  verified_at: Date | null;
  derived_from: string | null;
  description: string;
  notes: string;
  tags: Record<string, string>;
  row_version: string;
  created_by: string;
  created_at: Date;
  updated_at: Date;
}

export function modelVersionOf(row: VersionRow, champion: string | null): ModelVersion {
  const name = row.model_name as ModelName;
  return {
    model_name: name,
    model_id: name,
    version: row.version,
    mlflow_version: row.mlflow_version,
    build_id: row.build_id,
    sha256: row.artifact_sha256,
    artifact_bytes: Number(row.artifact_bytes),
    stage: row.stage,
    champion: row.version === champion,
    origin: row.origin,
    task: row.task,
    ...(row.algorithm === null ? {} : { algorithm: row.algorithm }),
    ...(row.framework === null ? {} : { framework: row.framework }),
    metrics: row.metrics,
    ...(row.dataset_id === null ? {} : { dataset_id: row.dataset_id as DatasetId }),
    job_id: row.job_id as JobId,
    ...(row.derived_from === null ? {} : { derived_from: row.derived_from }),
    ...{ description: row.description, notes: row.notes, tags: row.tags },
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

export const artifactOf = (row: VersionRow): VersionArtifact => ({
  rowVersion: Number(row.row_version),
  origin: row.origin,
  artifactKey: row.artifact_key,
  artifactSha256: row.artifact_sha256,
  artifactBytes: Number(row.artifact_bytes),
  manifestKey: row.manifest_key,
  manifestSha256: row.manifest_sha256,
  ...(row.manifest_signature === null ? {} : { signature: row.manifest_signature }),
});

export const metadataOf = (row: VersionRow, champion: string | null): MLModelMetadata & VersionArtifact => ({
  ...modelVersionOf(row, champion),
  manifest: ModelManifest.parse(row.manifest),
  ...artifactOf(row),
});
