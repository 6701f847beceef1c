import { z } from 'zod';
import { isEnvironment } from './environment-names.ts';
import { Environment } from './environments.ts';
import { FeatureSpec, ModelManifest, ModelStage, ModelVersion } from './models.ts';
import { DatasetId, ModelName, Timestamp, VersionName } from './names.ts';

export { ModelStage };

/** A name for a version that may be moved; `champion` is kept for the version that serves. */
export const AliasName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_-]{0,63}$/,
    'must be 1 to 64 lower-case letters, digits, "_" or "-", starting with a letter',
  )
  .refine((alias) => alias !== 'champion', 'champion is the version that serves; deploy to move it')
  .refine((alias) => !isEnvironment(alias), 'is an environment; deploy to it to move it')
  // A build id or a sha256 may look like an alias, and must not be hidden by one.
  .refine((alias) => !/^[0-9a-f]{64}$/.test(alias), 'must not look like a sha256');
export type AliasName = z.infer<typeof AliasName>;

const TagName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$/, 'must be 1 to 128 letters, digits or "_./:-"');
export const maxTags = 50;
const fewTags = (tags: object): boolean => Object.keys(tags).length <= maxTags;
export const Tags = z
  .record(TagName, z.string().max(1_000))
  .refine(fewTags, `must be at most ${maxTags} tags`);
export type Tags = z.infer<typeof Tags>;

/** RFC 7396: what is left out stays, a tag of null goes. */
const TagChanges = z
  .record(TagName, z.string().max(1_000).nullable())
  .refine(fewTags, `must be at most ${maxTags} tags`)
  .describe('Merged into the tags; null removes one');

const described = {
  description: z.string().max(5_000).optional(),
  notes: z.string().max(20_000).optional(),
  tags: TagChanges.optional(),
};

export const ModelUpdate = z
  .strictObject({
    ...described,
    archived: z
      .boolean()
      .optional()
      .describe('true puts a model away that serves nothing; false takes it back'),
  })
  .meta({ id: 'ModelUpdate' });
export type ModelUpdate = z.infer<typeof ModelUpdate>;

export const VersionUpdate = z.strictObject(described).meta({ id: 'VersionUpdate' });
export type VersionUpdate = z.infer<typeof VersionUpdate>;

/** Another version of the same bytes, of which more or something else is said: the next patch. */
export const CreateModelVersionRequest = z
  .strictObject({
    from_version: VersionName.describe('Whose bytes it has'),
    version_string: z
      .string()
      .max(40)
      .optional()
      .describe('Semver above the newest; the next patch when left out'),
    description: z.string().max(5_000).optional(),
    notes: z.string().max(20_000).optional(),
    tags: Tags.optional(),
    metrics: z
      .record(z.string().min(1).max(100), z.number())
      .optional()
      .describe('Measured elsewhere; each within the range of its definition'),
  })
  .meta({ id: 'CreateModelVersionRequest' });
export type CreateModelVersionRequest = z.infer<typeof CreateModelVersionRequest>;

export const VersionList = z
  .object({ items: z.array(ModelVersion), next_cursor: z.string().optional() })
  .meta({ id: 'VersionList' });
export type VersionList = z.infer<typeof VersionList>;

export const StageTransitionRequest = z
  .strictObject({
    stage: ModelStage,
    force: z.boolean().default(false).describe('Take a step that the state machine has not; it is recorded'),
    reason: z.string().max(1_000).default(''),
  })
  .meta({ id: 'StageTransitionRequest' });
export type StageTransitionRequest = z.infer<typeof StageTransitionRequest>;

export const StageTransition = z
  .object({
    version: z.string(),
    from_stage: ModelStage,
    to_stage: ModelStage,
    forced: z.boolean(),
    reason: z.string(),
    actor: z.string(),
    request_id: z.string(),
    at: Timestamp,
  })
  .meta({ id: 'StageTransition' });
export type StageTransition = z.infer<typeof StageTransition>;

export const AliasRequest = z.strictObject({ version: VersionName }).meta({ id: 'AliasRequest' });
export const ModelAlias = z
  .object({ alias: z.string(), version: z.string(), updated_at: Timestamp })
  .meta({ id: 'ModelAlias' });
export type ModelAlias = z.infer<typeof ModelAlias>;
export const AliasList = z.object({ items: z.array(ModelAlias) }).meta({ id: 'AliasList' });

/** One line of a model's deployment history, which is only ever added to. */
export const ModelDeployment = z
  .object({
    revision: z.int(),
    action: z.enum(['deploy', 'rollback', 'withdraw', 'configure']),
    environment: Environment.default('production'),
    model_version: z.string().optional().describe('What served from then on; nothing after a withdrawal'),
    previous_version: z.string().optional(),
    forced: z.boolean(),
    reason: z.string(),
    actor: z.string(),
    request_id: z.string(),
    deployed_at: Timestamp,
  })
  .meta({ id: 'ModelDeployment' });
export type ModelDeployment = z.infer<typeof ModelDeployment>;

export const DeploymentList = z
  .object({
    items: z.array(ModelDeployment),
    next_cursor: z.string().optional(),
    production_at: z
      .object({ at: Timestamp, model_version: z.string().optional(), revision: z.int() })
      .optional()
      .describe('With `at`: what was Production then; without a version nothing was'),
  })
  .meta({ id: 'DeploymentList' });
export type DeploymentList = z.infer<typeof DeploymentList>;

export const RollbackRequest = z
  .strictObject({
    to_version: VersionName.optional().describe('The version that served before when left out'),
    reason: z.string().max(1_000).default(''),
  })
  .meta({ id: 'RollbackRequest' });
export type RollbackRequest = z.infer<typeof RollbackRequest>;

export const PromotionRequest = z
  .strictObject({
    version: VersionName,
    metric_name: z.string().max(100).optional().describe('f1_score or r2, by the task, when left out'),
    improvement_threshold: z
      .number()
      .min(0)
      .max(1e9)
      .default(0.01)
      .describe('How much better the metric has to be, as an absolute difference'),
    force: z.boolean().default(false).describe('Skip the comparison; it is recorded'),
    reason: z.string().max(1_000).default(''),
  })
  .meta({ id: 'PromotionRequest' });
export type PromotionRequest = z.infer<typeof PromotionRequest>;

export const PromotionResult = z
  .object({
    decision: z.enum(['deployed', 'kept']),
    reason: z.string(),
    model_name: ModelName,
    model_version: z.string(),
    champion_version: z.string().optional().describe('What serves now'),
    revision: z.int().optional(),
  })
  .meta({ id: 'PromotionResult' });
export type PromotionResult = z.infer<typeof PromotionResult>;

export const ArchiveOldVersionsRequest = z
  .strictObject({
    keep_latest: z.int().min(1).max(10_000).default(5).describe('Newest versions that are kept as they are'),
  })
  .meta({ id: 'ArchiveOldVersionsRequest' });
export const ArchivedVersions = z
  .object({ archived: z.array(z.string()), kept: z.array(z.string()) })
  .meta({ id: 'ArchivedVersions' });
export type ArchivedVersions = z.infer<typeof ArchivedVersions>;

const Difference = z.object({ name: z.string(), a: z.unknown(), b: z.unknown() });

export const VersionComparison = z
  .object({
    model_name: ModelName,
    a: z.string(),
    b: z.string(),
    newer: z.enum(['a', 'b', 'same']).describe('By semver'),
    same_bytes: z.boolean(),
    same_data: z.boolean().describe('Trained on the same dataset'),
    same_holdout: z.boolean().describe('Measured on the same rows: only then do metrics say which is better'),
    same_schema: z.boolean().describe('Takes the same features, gives the same classes'),
    metrics: z.array(
      z.object({
        name: z.string(),
        a: z.number().optional(),
        b: z.number().optional(),
        difference: z.number().optional().describe('b - a'),
        better: z.enum(['a', 'b', 'same']).optional().describe('By the direction of the metric'),
      }),
    ),
    hyperparameters: z.array(Difference).describe('Those that differ'),
    features: z.object({
      added: z.array(FeatureSpec),
      removed: z.array(FeatureSpec),
      changed: z.array(Difference),
    }),
    should_promote: z
      .object({ promote: z.boolean(), reason: z.string() })
      .describe('Whether b is better than a by the threshold'),
  })
  .meta({ id: 'VersionComparison' });
export type VersionComparison = z.infer<typeof VersionComparison>;

export const LineageNode = z
  .object({
    id: z.string(),
    kind: z.enum(['dataset', 'run', 'version', 'deployment']),
    name: z.string(),
    at: Timestamp.optional(),
    attributes: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LineageNode' });
export const Lineage = z
  .object({
    model_name: ModelName,
    nodes: z.array(LineageNode),
    edges: z.array(z.object({ from: z.string(), to: z.string(), relation: z.string() })),
  })
  .meta({ id: 'Lineage' });
export type Lineage = z.infer<typeof Lineage>;

/** After Mitchell et al., Model Cards for Model Reporting, 2019. */
export const ModelCard = z
  .object({
    model_name: ModelName,
    version: z.string(),
    stage: ModelStage,
    summary: z.string(),
    description: z.string(),
    intended_use: z.string(),
    limits: z.array(z.string()),
    data: z.object({
      dataset_id: DatasetId.optional(),
      target: z.string().optional(),
      n_train: z.int().optional(),
      n_test: z.int().optional(),
      split: z.string().optional(),
      features: z.array(FeatureSpec),
      classes: z.array(z.unknown()).optional(),
    }),
    metrics: z.record(z.string(), z.number()),
    training: z.object({
      origin: z.string(),
      algorithm: z.string().optional(),
      framework: z.string().optional(),
      hyperparameters: z.record(z.string(), z.unknown()),
      software: z.record(z.string(), z.string()),
    }),
    lineage: z.object({
      job_id: z.string(),
      build_id: z.string(),
      sha256: z.string(),
      created_by: z.string(),
    }),
    tags: z.record(z.string(), z.string()),
    notes: z.string(),
    created_at: Timestamp,
  })
  .meta({ id: 'ModelCard' });
export type ModelCard = z.infer<typeof ModelCard>;

export const AuditEntry = z
  .object({
    audit_id: z.string(),
    at: Timestamp,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    request_id: z.string(),
    detail: z
      .record(z.string(), z.unknown())
      .describe('With `before` and `after` where something was changed'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditPage = z
  .object({ items: z.array(AuditEntry), next_cursor: z.string().optional() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof AuditPage>;

const ExportedVersion = z.object({
  version: z.string(),
  mlflow_version: z.int().min(1),
  stage: ModelStage,
  derived_from: z.string().optional(),
  description: z.string(),
  notes: z.string(),
  tags: Tags,
  metrics: z.record(z.string(), z.number()),
  manifest: ModelManifest,
  manifest_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  created_by: z.string(),
  created_at: Timestamp,
});
export type ExportedVersion = z.infer<typeof ExportedVersion>;

const ExportedModel = z.object({
  model_name: ModelName,
  description: z.string(),
  notes: z.string(),
  tags: Tags,
  archived: z.boolean(),
  champion_version: z.string().optional(),
  versions: z.array(ExportedVersion).max(10_000),
  aliases: z.array(z.object({ alias: AliasName, version: z.string() })),
  deployments: z.array(ModelDeployment).describe('What happened where it was exported; not imported'),
});
export type ExportedModel = z.infer<typeof ExportedModel>;

/** A registry, or a page of it, as one document (`versions.json`): everything but bytes. */
export const RegistryExport = z
  .object({
    format: z.literal('tenantml.registry'),
    format_version: z.literal(1),
    exported_at: Timestamp,
    models: z.array(ExportedModel).max(1_000),
    next_cursor: z.string().optional().describe('When there are more models than one answer holds'),
  })
  .meta({ id: 'RegistryExport' });
export type RegistryExport = z.infer<typeof RegistryExport>;

export const RegistryImportResult = z
  .object({
    models_created: z.int(),
    versions_created: z.int(),
    versions_skipped: z.array(z.string()).describe('There already, as model/version'),
    versions_without_bytes: z
      .array(z.string())
      .describe('Their artifact is not in this registry: kept as Archived, and not to be deployed'),
  })
  .meta({ id: 'RegistryImportResult' });
export type RegistryImportResult = z.infer<typeof RegistryImportResult>;
