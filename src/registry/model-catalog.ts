import type { ModelStage, ModelVersion } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import {
  type AliasName,
  type ArchivedVersions,
  type CreateModelVersionRequest,
  type ModelAlias,
  type ModelUpdate,
  maxTags,
  type StageTransition,
  type VersionUpdate,
} from '../contracts/registry.ts';
import { MLFrameworkError, ValidationError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { Expected } from './model-registry.ts';

/** Production is entered and left by deploying, which moves what serves with it. */
export class StageNeedsDeploymentError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'STAGE_NEEDS_DEPLOYMENT',
      `version ${version} of model ${model} is Production because it serves; deploy another version, which archives it, or take the model out of service by deleting it with force`,
    );
  }
}

/** A model that serves is in use. */
export class ModelDeployedError extends MLFrameworkError {
  constructor(model: string, doing: 'archived' | 'deleted') {
    const remedy = doing === 'deleted' ? ', or pass force=true' : '';
    super(
      'MODEL_DEPLOYED',
      `model ${model} serves predictions and cannot be ${doing}; empty its environments, which GET /api/v1/ml/models/${model}/environments shows, and delete what production serves with force first${remedy}`,
    );
  }
}

/** Numbers of versions only rise, so that one never names two models. */
export class VersionNumberTakenError extends ValidationError {
  constructor(version: string, latest: string) {
    super(`version ${version} must be above ${latest}, the newest number ever given`, {
      code: 'VERSION_NUMBER_TAKEN',
      errors: [{ pointer: '/version_string', detail: `must be above ${latest}` }],
    });
  }
}

/** Those that were there, and those that came with the change. */
export class TooManyTagsError extends ValidationError {
  constructor(nTags: number) {
    super(`with this change it would have ${nTags} tags and may have ${maxTags}; set some to null`, {
      errors: [{ pointer: '/tags', detail: `at most ${maxTags} tags` }],
    });
  }
}

export class AliasNotFoundError extends MLFrameworkError {
  constructor(model: string, alias: string) {
    super(
      'ALIAS_NOT_FOUND',
      `model ${model} has no alias ${alias}; GET /api/v1/ml/models/${model}/aliases lists them`,
    );
  }
}

/** An alias must not hide another name of a version. */
export class AliasHidesVersionError extends ValidationError {
  constructor(alias: string) {
    super(`alias ${alias} is the build id of a version; choose another name`, {
      code: 'ALIAS_HIDES_VERSION',
    });
  }
}

/** What is said of models and versions, beside what serves. Each change is a line of the audit log. */
export interface ModelCatalog {
  /** Newest first. @throws {ModelNotFoundError} */
  versions(
    tenant: TenantContext,
    model: ModelName,
    page: { limit: number; cursor?: string | undefined; stage?: ModelStage | undefined },
  ): Promise<{ items: readonly ModelVersion[]; nextCursor?: string }>;
  /**
   * @throws {ModelNotFoundError} @throws {PreconditionFailedError}
   * @throws {ModelDeployedError} when it serves and is to be archived
   */
  update(tenant: TenantContext, model: ModelName, update: ModelUpdate, expected: Expected): Promise<void>;
  /** @throws {VersionNotFoundError} @throws {PreconditionFailedError} */
  updateVersion(
    tenant: TenantContext,
    model: ModelName,
    version: string,
    update: VersionUpdate,
    expected: Expected,
  ): Promise<ModelVersion>;
  /**
   * A version of the bytes of another one.
   * @throws {VersionNotFoundError} @throws {VersionNumberError} @throws {VersionNumberTakenError}
   * @throws {MetricOutOfRangeError}
   */
  create(tenant: TenantContext, model: ModelName, request: CreateModelVersionRequest): Promise<ModelVersion>;
  /**
   * To any stage but Production, which is deployed to.
   * @throws {StageTransitionError} @throws {StageNeedsDeploymentError}
   */
  transition(
    tenant: TenantContext,
    model: ModelName,
    version: string,
    to: { stage: Exclude<ModelStage, 'Production'>; force: boolean; reason: string } & Expected,
  ): Promise<ModelVersion>;
  /** Oldest first. */
  transitions(tenant: TenantContext, model: ModelName, version: string): Promise<readonly StageTransition[]>;
  /** Archives what is older than the newest; never what serves, as champion, canary or shadow, or has an alias. */
  archiveOldVersions(
    tenant: TenantContext,
    model: ModelName,
    options: { keepLatest: number },
  ): Promise<ArchivedVersions>;
  aliases(tenant: TenantContext, model: ModelName): Promise<readonly ModelAlias[]>;
  /** @throws {AliasHidesVersionError} */
  setAlias(
    tenant: TenantContext,
    model: ModelName,
    alias: AliasName,
    version: string,
    expected: Expected,
  ): Promise<ModelAlias>;
  /** @throws {AliasNotFoundError} */
  removeAlias(tenant: TenantContext, model: ModelName, alias: string, expected: Expected): Promise<void>;
  /**
   * Removes a model of which no version is left; its number goes with it, its history stays.
   * @throws {ModelNotFoundError} @throws {ModelDeployedError} when versions are left
   */
  removeModel(tenant: TenantContext, model: ModelName): Promise<void>;
}
