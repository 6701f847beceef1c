import type {
  MLModelMetadata,
  ModelDetail,
  ModelManifest,
  ModelSummary,
  ModelVersion,
} from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import { MLFrameworkError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

export class ModelNotFoundError extends MLFrameworkError {
  constructor(model: string) {
    super('MODEL_NOT_FOUND', `no model ${model}; GET /api/v1/ml/models lists yours`, {
      evidence: { model_id: model },
    });
  }
}

export class VersionNotFoundError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'VERSION_NOT_FOUND',
      `model ${model} has no version ${version}; GET /api/v1/ml/models/${model} lists them`,
      {
        evidence: { model_id: model, version },
      },
    );
  }
}

/** All versions of the model were deleted. */
export class ModelHasNoVersionError extends MLFrameworkError {
  constructor(model: string) {
    super('VERSION_NOT_FOUND', `model ${model} has no version any more; train it again`, {
      evidence: { model_id: model },
    });
  }
}

/** The version serves predictions; taking it away needs a word more. */
export class VersionDeployedError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'VERSION_DEPLOYED',
      `version ${version} of model ${model} serves predictions; deploy another version first, or pass force=true to take the model out of service`,
    );
  }
}

/** A version whose graph was never shown to load and to agree with its model cannot be deployed. */
export class VersionNotVerifiedError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'VERSION_NOT_VERIFIED',
      `version ${version} of model ${model} was not verified at registration; train it again`,
    );
  }
}

/** What a registered version consists of. */
export interface Registration {
  readonly manifest: ModelManifest;
  readonly artifactKey: string;
  readonly manifestKey: string;
  readonly manifestSha256: string;
}

/** Where the bytes of a version are. */
export interface VersionArtifact {
  readonly artifactKey: string;
  readonly artifactSha256: string;
  readonly artifactBytes: number;
  readonly manifestKey: string;
  readonly manifestSha256: string;
}

/** What is deployed for a model, and since which change. Revisions rise by one with every change. */
export interface Deployment {
  readonly modelName: ModelName;
  readonly revision: number;
  /** `undefined` when the model was taken out of service. */
  readonly champion: (ModelVersion & VersionArtifact) | undefined;
  readonly previousVersion: string | undefined;
  readonly deployedAt: string;
}

/** The truth about models and versions. */
export interface ModelRegistry {
  /**
   * Adds a version: 1.0.0 for a new model, else the next minor, or the next major when the input schema changed.
   * Registering the same job again returns the version it made.
   */
  register(tenant: TenantContext, registration: Registration): Promise<ModelVersion>;
  list(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ items: readonly ModelSummary[]; nextCursor?: string }>;
  /** @throws {ModelNotFoundError} */
  model(tenant: TenantContext, model: ModelName): Promise<ModelDetail>;
  /**
   * @param version any name of the version; the champion, or else the newest, when left out
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   */
  version(
    tenant: TenantContext,
    model: ModelName,
    version?: string,
  ): Promise<MLModelMetadata & VersionArtifact>;
  /**
   * Makes a verified version the champion, in one transaction with its history and audit rows.
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionNotVerifiedError}
   */
  deploy(tenant: TenantContext, model: ModelName, version: string): Promise<Deployment>;
  /** What is deployed now; `undefined` when nothing ever was. */
  deployment(tenant: TenantContext, model: ModelName): Promise<Deployment | undefined>;
  /**
   * Makes a version one that can serve no more: not verified, Archived, and out of service when it was the
   * champion. The first half of a deletion, before its bytes go; done again it changes nothing more.
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionDeployedError} when it is the champion and that is not forced
   */
  retire(
    tenant: TenantContext,
    model: ModelName,
    version: string,
    options: { force: boolean },
  ): Promise<{ version: ModelVersion; deployment: Deployment | undefined }>;
  /**
   * Removes a version's row. @returns the version that is gone
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionDeployedError} when it is the champion
   */
  remove(tenant: TenantContext, model: ModelName, version: string): Promise<ModelVersion>;
}
