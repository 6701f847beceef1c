import { z } from 'zod';
import { ClassLabel } from './class-label.ts';
import { Environment } from './environments.ts';
import { ImportedSignature, ModelFramework } from './imported.ts';
import { DatasetId, JobId, ModelName, Timestamp } from './names.ts';
import { selectionFields } from './selection.ts';
import { Algorithm, Task } from './training.ts';

export const ModelStage = z
  .enum(['Development', 'Staging', 'Production', 'Archived', 'Failed'])
  .meta({ id: 'ModelStage' });
export type ModelStage = z.infer<typeof ModelStage>;

/** One input of a model. */
export const FeatureSpec = z
  .object({
    name: z.string(),
    type: z
      .enum(['number', 'boolean', 'date', 'category'])
      .describe(
        'number and boolean are float32 inputs of the graph, date int64 epoch milliseconds, category string',
      ),
    input: z
      .string()
      .describe('Name of its input in the graph; differs from `name` where the graph needs it for itself'),
  })
  .meta({ id: 'FeatureSpec' });
export type FeatureSpec = z.infer<typeof FeatureSpec>;

export { ClassLabel };

/** Where a version came from: trained by a job of this platform, or brought as a file. */
export const ModelOrigin = z.enum(['trained', 'imported']).meta({ id: 'ModelOrigin' });
export type ModelOrigin = z.infer<typeof ModelOrigin>;

/** What a version is made of; stored beside the artifact, and never changed. */
export const ModelManifest = z
  .object({
    model_name: ModelName,
    build_id: z.string(),
    origin: ModelOrigin.optional().describe('trained, when it is left out'),
    task: Task,
    algorithm: Algorithm.optional().describe('Of a trained version'),
    framework: ModelFramework.optional().describe('Of an imported version'),
    hyperparameters: z.record(z.string(), z.unknown()).optional().describe('Of a trained version'),
    target: z.string().optional().describe('The column that was learnt; of a trained version'),
    features: z.array(FeatureSpec),
    classes: z.array(ClassLabel).optional(),
    metrics: z.record(z.string(), z.number()),
    ...selectionFields,
    dataset_id: DatasetId.optional().describe('Of a trained version'),
    split: z
      .object({
        kind: z.enum(['random', 'every_5th', 'last']),
        test_size: z.number(),
        random_state: z.int(),
        n_train: z.int(),
        n_test: z.int(),
      })
      .optional()
      .describe('Of a trained version'),
    imported: ImportedSignature.optional(),
    self_test: z
      .object({ n_rows: z.int(), load_ms: z.number(), resident_bytes: z.int() })
      .optional()
      .describe('Of an imported version: what was measured where it is served'),
    artifact: z.object({ format: z.literal('onnx'), sha256: z.string(), bytes: z.int() }),
    explainer: z
      .object({ sha256: z.string(), bytes: z.int(), json_bytes: z.int() })
      .optional()
      .describe('The fitted model beside the graph, gzipped JSON, from which predictions are explained'),
    verification: z
      .object({
        n_rows: z.int(),
        max_absolute_error: z.number(),
        max_relative_error: z.number(),
        executor: z
          .enum(['typescript', 'onnxruntime'])
          .optional()
          .describe('What runs the graph when it serves; older versions do not say'),
      })
      .optional()
      .describe('How far the ONNX graph of a trained version is from the model in memory, in every executor'),
    job_id: JobId,
    notes: z.string().optional(),
    software: z.record(z.string(), z.string()),
    created_at: Timestamp,
  })
  .meta({ id: 'ModelManifest' });
export type ModelManifest = z.infer<typeof ModelManifest>;

/** By whom a manifest is vouched for: the key of the deployment, over tenant, model, build and the manifest's hash. */
export const ManifestSignature = z
  .object({
    key_id: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,128}$/)
      .describe('Of the key in KMS'),
    algorithm: z.literal('ECDSA_SHA_256'),
    signature: z.string().describe('DER, in base64'),
  })
  .meta({ id: 'ManifestSignature' });
export type ManifestSignature = z.infer<typeof ManifestSignature>;

export const ModelVersion = z
  .object({
    model_name: ModelName,
    model_id: ModelName,
    version: z.string().describe('Semver'),
    mlflow_version: z.int(),
    build_id: z.string(),
    sha256: z.string(),
    artifact_bytes: z.int(),
    stage: ModelStage,
    champion: z.boolean().describe('Whether predictions go to this version'),
    origin: ModelOrigin,
    task: Task,
    algorithm: Algorithm.optional().describe('Of a trained version'),
    framework: ModelFramework.optional().describe('Of an imported version'),
    metrics: z.record(z.string(), z.number()),
    dataset_id: DatasetId.optional().describe('Of a trained version'),
    job_id: JobId,
    derived_from: z.string().optional().describe('The version whose bytes these are too'),
    description: z.string(),
    notes: z.string(),
    tags: z.record(z.string(), z.string()),
    aliases: z.array(z.string()).optional().describe('Where one version is shown; the champion apart'),
    created_by: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: 'ModelVersion' });
export type ModelVersion = z.infer<typeof ModelVersion>;

export const ModelSummary = z
  .object({
    model_name: ModelName,
    model_id: ModelName,
    champion_version: z.string().optional(),
    latest_version: z.string().optional(),
    n_versions: z.int(),
    origin: ModelOrigin.optional(),
    task: Task.optional(),
    algorithm: Algorithm.optional(),
    framework: ModelFramework.optional(),
    metrics: z
      .record(z.string(), z.number())
      .optional()
      .describe('Of the champion, or of the newest version'),
    description: z.string(),
    notes: z.string(),
    tags: z.record(z.string(), z.string()),
    archived: z.boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: 'ModelSummary' });
export type ModelSummary = z.infer<typeof ModelSummary>;

export const ModelList = z
  .object({ items: z.array(ModelSummary), next_cursor: z.string().optional() })
  .meta({ id: 'ModelList' });

/** A model with its newest versions, newest first. */
export const ModelDetail = ModelSummary.extend({
  environments: z
    .array(z.object({ environment: Environment, model_version: z.string() }))
    .describe('Those that serve a version'),
  canary: z.object({ version: z.string(), weight: z.number() }).optional(),
  shadow: z.object({ version: z.string() }).optional(),
  versions: z.array(ModelVersion).describe('The newest 100; GET …/versions lists all'),
}).meta({ id: 'ModelDetail' });
export type ModelDetail = z.infer<typeof ModelDetail>;

/** Everything that is known of one version: of the champion, unless `version` asks for another. */
export const MLModelMetadata = ModelVersion.extend({ manifest: ModelManifest }).meta({
  id: 'MLModelMetadata',
});
export type MLModelMetadata = z.infer<typeof MLModelMetadata>;

export const ModelDeploymentResponse = z
  .object({
    model_name: ModelName,
    model_version: z.string(),
    previous_version: z.string().optional(),
    revision: z.int(),
    status: z.literal('deployed'),
    deployed_at: Timestamp,
  })
  .meta({ id: 'ModelDeploymentResponse' });
export type ModelDeploymentResponse = z.infer<typeof ModelDeploymentResponse>;

/** Links to the files of a version, with what they are verified by. */
export const ArtifactLink = z
  .object({
    url: z.string(),
    sha256: z.string(),
    bytes: z.int(),
    expires_at: Timestamp,
    manifest_url: z.string().describe('The manifest, byte for byte as it was signed'),
    manifest_sha256: z.string(),
    signature: ManifestSignature.extend({
      tenant: z.string().describe('Part of what is signed'),
      build_id: z.string().describe('Part of what is signed'),
      public_key: z.string().describe('SubjectPublicKeyInfo, DER in base64'),
    })
      .optional()
      .describe('Left out for versions that were made before versions were signed'),
  })
  .meta({ id: 'ArtifactLink' });
export type ArtifactLink = z.infer<typeof ArtifactLink>;

export const ModelDeleted = z
  .object({ model_name: ModelName, model_version: z.string(), status: z.literal('deleted') })
  .meta({ id: 'ModelDeleted' });

/** The whole model, with every version. */
export const WholeModelDeleted = z
  .object({ model_name: ModelName, versions: z.array(z.string()), status: z.literal('deleted') })
  .meta({ id: 'WholeModelDeleted' });
