import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ModelEnvironment } from '../contracts/environments.ts';
import type {
  ManifestSignature,
  MLModelMetadata,
  ModelDetail,
  ModelManifest,
  ModelOrigin,
  ModelStage,
  ModelSummary,
  ModelVersion,
} from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type {
  ServingConfiguration,
  ServingConfigurationRequest,
  ServingSettings,
} from '../contracts/serving.ts';
import type { Task } from '../contracts/training.ts';
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
      `version ${version} of model ${model} serves predictions; deploy another version first, in whatever environment it serves (or end its canary or shadow), or pass force=true, which for the champion takes the model out of service`,
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

/** Where it is served, the version would be refused: it has no signature, or one that does not hold. */
export class VersionNotSignedError extends MLFrameworkError {
  constructor(cause: Error) {
    super('VERSION_NOT_SIGNED', cause.message, { cause });
  }
}

/** There is no champion that a canary or settings could stand beside. */
export class NothingDeployedError extends MLFrameworkError {
  constructor(model: string) {
    super('NOTHING_DEPLOYED', `model ${model} has no deployed version; deploy one first`, {
      evidence: { model_id: model },
    });
  }
}

/** A canary has to be another version than the champion. */
export class CanaryIsChampionError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'CANARY_IS_CHAMPION',
      `version ${version} of model ${model} is the champion; a canary is another version`,
    );
  }
}

/** Nothing is deployed to the environment that could be taken out of it. */
export class EnvironmentEmptyError extends MLFrameworkError {
  constructor(model: string, environment: string) {
    super(
      'NOTHING_DEPLOYED',
      `model ${model} has no version in environment ${environment}; GET /api/v1/ml/models/${model}/environments shows what is where`,
      { evidence: { model_id: model, environment } },
    );
  }
}

/** The version serves somewhere, and its new stage would say that it does not. */
export class VersionInUseError extends MLFrameworkError {
  constructor(model: string, version: string, uses: readonly string[], to: string) {
    super(
      'VERSION_DEPLOYED',
      `version ${version} of model ${model} serves as ${uses.join(' and ')} and cannot go to ${to}; end that first`,
      { evidence: { model_id: model, version, uses } },
    );
  }
}

/** Somebody else has changed it since it was read. */
export class PreconditionFailedError extends MLFrameworkError {
  constructor(what: string, expected: number, found: number) {
    super(
      'PRECONDITION_FAILED',
      `${what} has changed since it was read: it is at ${found}, not at ${expected}; read it again and decide anew`,
      { evidence: { expected, found } },
    );
  }
}

/** No version served before the one that serves. */
export class NothingToRollBackToError extends MLFrameworkError {
  constructor(model: string) {
    super(
      'NOTHING_TO_ROLL_BACK_TO',
      `model ${model} has no earlier version in its history that could serve again; deploy a version by name`,
    );
  }
}

/** What a caller has read before, and expects to find. */
export interface Expected {
  /** The row's version: the ETag of a model. */
  readonly ifMatch?: number | undefined;
  /** Revision of what is deployed. */
  readonly ifRevision?: number | undefined;
}

export interface DeployOptions extends Expected {
  /** Past Staging, or past a comparison; it is recorded. */
  readonly forced?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly action?: 'deploy' | 'rollback' | undefined;
  /** Hold to the state machine of stages, instead of passing Staging by the way: refused from Development. */
  readonly heedStage?: boolean | undefined;
}

export interface RollbackOptions extends Expected {
  /** Any name of a version that has served; the one that served before, when left out. */
  readonly toVersion?: string | undefined;
  readonly reason?: string | undefined;
}

/** Which models a list holds: those that fit everything that is given. */
export interface ModelFilter {
  /** A part of the name, in any case. */
  readonly search?: string | undefined;
  readonly archived?: boolean | undefined;
  /** Has a version in this stage. */
  readonly stage?: ModelStage | undefined;
  readonly task?: Task | undefined;
  readonly algorithm?: string | undefined;
  readonly framework?: string | undefined;
  /** `name` or `name=value`, of the model. */
  readonly tag?: string | undefined;
}

/** What a registered version consists of. */
export interface Registration {
  readonly manifest: ModelManifest;
  readonly artifactKey: string;
  readonly manifestKey: string;
  readonly manifestSha256: string;
  readonly signature?: ManifestSignature | undefined;
}

/** Where the bytes of a version are, and which state of its row was read. */
export interface VersionArtifact {
  readonly rowVersion: number;
  readonly origin: ModelOrigin;
  readonly artifactKey: string;
  readonly artifactSha256: string;
  readonly artifactBytes: number;
  readonly manifestKey: string;
  readonly manifestSha256: string;
  /** @default - the version was made before versions were signed */
  readonly signature?: ManifestSignature;
}

/** A version that takes part in serving. */
export interface ServingVersion extends VersionArtifact {
  readonly version: string;
}

/** What an environment beside production serves; nothing where it was emptied. */
export interface ServedEnvironment {
  readonly environment: TrialEnvironment;
  readonly version: ServingVersion | undefined;
}

/** How a model is served beside its champion. */
export interface Traffic {
  /** Those that have ever served. */
  readonly environments: readonly ServedEnvironment[];
  readonly canary: (ServingVersion & { readonly weight: number }) | undefined;
  readonly shadow: ServingVersion | undefined;
  readonly settings: ServingSettings;
}

/** What is deployed for a model, and since which change. Revisions rise by one with every change. */
export interface Deployment {
  readonly modelName: ModelName;
  readonly revision: number;
  /** `undefined` when nothing is in production. */
  readonly champion: (ModelVersion & VersionArtifact) | undefined;
  /** Whether production was taken out of service; it may also be that only other environments have ever served. */
  readonly isWithdrawn: boolean;
  readonly previousVersion: string | undefined;
  readonly deployedAt: string;
  readonly traffic: Traffic;
}

/** A version that can serve no more. */
export interface RetiredVersion {
  readonly version: ModelVersion;
  /** What serves after it; `undefined` when the version served nowhere. */
  readonly deployment: Deployment | undefined;
  /** Whether production lost it. */
  readonly wasChampion: boolean;
}

/** A change of what an environment beside production serves. */
export interface EnvironmentChange {
  readonly environment: TrialEnvironment;
  readonly version: string | undefined;
  readonly previousVersion: string | undefined;
  readonly revision: number;
  readonly at: string;
  /** The whole of what serves, after it. */
  readonly deployment: Deployment;
}

/** The truth about models and versions. */
export interface ModelRegistry {
  /**
   * Adds a version: 1.0.0 for a new model, else the next minor, or the next major when the input schema changed.
   * Registering the same job again returns the version it made.
   */
  register(tenant: TenantContext, registration: Registration): Promise<ModelVersion>;
  /** By name. */
  list(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined } & ModelFilter,
  ): Promise<{ items: readonly ModelSummary[]; nextCursor?: string }>;
  /** @returns the model, with its row's version @throws {ModelNotFoundError} */
  model(tenant: TenantContext, model: ModelName): Promise<ModelDetail & { readonly rowVersion: number }>;
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
   * @throws {PreconditionFailedError}
   */
  deploy(
    tenant: TenantContext,
    model: ModelName,
    version: string,
    options?: DeployOptions,
  ): Promise<Deployment>;
  /**
   * Deploys the version that served before, or another one that has served.
   * @throws {NothingToRollBackToError}
   * @throws what `deploy` throws; also when another change came first
   */
  rollback(tenant: TenantContext, model: ModelName, options: RollbackOptions): Promise<Deployment>;
  /**
   * Has an environment beside production serve a verified version, in one transaction with its history and audit rows.
   * Going to staging moves the version to stage Staging, unless it is in Production.
   * @param version any name of the version; the environment is emptied when left out
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionNotVerifiedError}
   * @throws {StageTransitionError} for a version that has failed, on its way to staging, unless forced
   * @throws {EnvironmentEmptyError} when it is to be emptied and is empty
   * @throws {PreconditionFailedError}
   */
  deployTo(
    tenant: TenantContext,
    model: ModelName,
    environment: TrialEnvironment,
    version: string | undefined,
    options?: Pick<DeployOptions, 'ifMatch' | 'forced' | 'reason'>,
  ): Promise<EnvironmentChange>;
  /** What every environment serves, production the last, and since when. @throws {ModelNotFoundError} */
  environments(tenant: TenantContext, model: ModelName): Promise<readonly ModelEnvironment[]>;
  /** What `rollback` would deploy, and the revision that was looked at. @throws {NothingToRollBackToError} */
  rollbackTarget(
    tenant: TenantContext,
    model: ModelName,
    toVersion?: string,
  ): Promise<{ readonly version: string; readonly revision: number }>;
  /**
   * Says how the model is served beside its champion, in one transaction with its history and audit rows. What serves
   * as canary or shadow is verified; a canary is another version than the champion.
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionNotVerifiedError}
   * @throws {NothingDeployedError} when there is no champion
   */
  configure(
    tenant: TenantContext,
    model: ModelName,
    request: ServingConfigurationRequest,
  ): Promise<Deployment>;
  /** @throws {ModelNotFoundError} */
  serving(tenant: TenantContext, model: ModelName): Promise<ServingConfiguration>;
  /** What is deployed now; `undefined` when nothing ever was, in whatever environment. */
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
  ): Promise<RetiredVersion>;
  /**
   * Removes a version's row. @returns the version that is gone
   * @throws {ModelNotFoundError}
   * @throws {VersionNotFoundError}
   * @throws {VersionDeployedError} when it is the champion
   */
  remove(tenant: TenantContext, model: ModelName, version: string): Promise<ModelVersion>;
  /**
   * The same for a version whose bytes another one has too. Of those that have them, one is the last, however many are
   * removed at once.
   * @returns `undefined` for the last: its row stays, until its bytes are gone
   */
  removeSharing(tenant: TenantContext, model: ModelName, version: string): Promise<ModelVersion | undefined>;
}
