import { ValidationError } from '../../errors.ts';
import { defaultImprovementThreshold, type PromotionDecision, shouldPromote } from '../promotion-decision.ts';
import { checkTransition } from '../stage-transition.ts';
import { ModelMetadata } from './model-metadata.ts';
import { ModelStage } from './model-stage.ts';
import { ModelVersion } from './model-version.ts';
import {
  readVersionsFile,
  type VersionsDocument,
  VersionsFileError,
  writeVersionsFile,
} from './versions-file.ts';

/** The number is that of another version. */
export class VersionTakenError extends ValidationError {
  constructor(version: string) {
    super(`version ${version} is registered already; give the new one another number`, {
      code: 'VERSION_NUMBER_TAKEN',
    });
  }
}

/** No version has the number. */
export class UnknownVersionError extends ValidationError {
  constructor(version: string) {
    super(`no version ${version} is registered; register it first`, { code: 'VERSION_NOT_FOUND' });
  }
}

/**
 * Versions of one model in memory, with a JSON file to keep them in: for projects without a platform. The registry of the
 * platform is `ModelRegistry`, which many share; this is of one process.
 */
export class ModelVersionManager {
  readonly #versions = new Map<string, ModelVersion>();

  /** @throws {VersionsFileError} when it is no file of versions */
  static async load(file: string): Promise<ModelVersionManager> {
    return ModelVersionManager.fromJSON(await readVersionsFile(file), file);
  }

  /** @param where is named in errors @throws {VersionsFileError} */
  static fromJSON({ versions }: VersionsDocument, where = 'the document'): ModelVersionManager {
    const manager = new ModelVersionManager();
    for (const { version, model_path, created_at, framework, ...rest } of versions) {
      try {
        const metadata = new ModelMetadata({
          ...rest,
          createdAt: created_at,
          ...(model_path === undefined ? {} : { modelPath: model_path }),
          ...(framework === undefined ? {} : { framework }),
        });
        manager.#add(new ModelVersion(version, metadata));
      } catch (error) {
        throw new VersionsFileError(where, (error as Error).message, error);
      }
    }
    return manager;
  }

  /** Writes all versions; the file appears whole or not at all. */
  async save(file: string): Promise<void> {
    await writeVersionsFile(file, this.toJSON());
  }

  /**
   * Takes a version in. One that comes as Production archives the one that was.
   * @throws {VersionTakenError}
   */
  registerVersion(version: ModelVersion): ModelVersion {
    this.#add(version);
    if (version.metadata.stage === ModelStage.PRODUCTION) this.#archiveProductionBut(version);
    return version;
  }

  /** @param version its number, `1.2.0` */
  getVersion(version: string): ModelVersion | undefined {
    return this.#versions.get(version);
  }

  /** @returns the newest version in Production */
  getProductionVersion(): ModelVersion | undefined {
    return this.listVersions({ stage: ModelStage.PRODUCTION })[0];
  }

  /** @returns newest first */
  listVersions({ stage }: { readonly stage?: ModelStage } = {}): ModelVersion[] {
    return [...this.#versions.values()]
      .filter(({ metadata }) => stage === undefined || metadata.stage === stage)
      .sort((a, b) => b.compareTo(a));
  }

  /**
   * Moves a version along the state machine of stages. What was Production is archived by its successor.
   * @param force takes a step that the machine has not
   * @throws {UnknownVersionError}
   * @throws {StageTransitionError}
   */
  transitionStage(
    version: string,
    stage: ModelStage,
    { force = false }: { readonly force?: boolean } = {},
  ): ModelVersion {
    const moved = this.getVersion(version);
    if (moved === undefined) throw new UnknownVersionError(version);
    checkTransition(version, moved.metadata.stage, stage, { force });
    moved.metadata.stage = stage;
    if (stage === ModelStage.PRODUCTION) this.#archiveProductionBut(moved);
    return moved;
  }

  /**
   * Whether the new version is better by at least the threshold: an absolute difference, in the direction in which the
   * metric is better. Both must have been measured on the same data.
   * @param currentVersion without one the new version wins
   * @throws {UnknownMetricError} when the metric has no direction
   */
  shouldPromote({
    newVersion,
    currentVersion,
    metricName = 'f1_score',
    improvementThreshold = defaultImprovementThreshold,
  }: {
    readonly newVersion: ModelVersion;
    readonly currentVersion?: ModelVersion | undefined;
    readonly metricName?: string;
    readonly improvementThreshold?: number;
  }): PromotionDecision {
    return shouldPromote(newVersion.metrics.values, currentVersion?.metrics.values, {
      ...{ metricName, improvementThreshold },
      ...(currentVersion === undefined ? {} : { currentVersion: currentVersion.version }),
    });
  }

  /**
   * Archives all but the newest; never what is in Production.
   * @param keepLatest how many of those that are not archived stay as they are
   * @returns what was archived, newest first
   */
  archiveOldVersions({ keepLatest = 5 }: { readonly keepLatest?: number } = {}): ModelVersion[] {
    if (!Number.isInteger(keepLatest) || keepLatest < 1)
      throw new ValidationError(`keepLatest=${keepLatest} must be a whole number of at least 1`);
    const old = this.listVersions()
      .filter(({ metadata }) => metadata.stage !== ModelStage.ARCHIVED)
      .slice(keepLatest)
      .filter(({ metadata }) => metadata.stage !== ModelStage.PRODUCTION);
    for (const { metadata } of old) metadata.stage = ModelStage.ARCHIVED;
    return old;
  }

  toJSON(): VersionsDocument {
    return {
      format: 'tenantml.versions',
      format_version: 1,
      versions: this.listVersions().map(({ version, metadata }) => ({ version, ...metadata.toJSON() })),
    };
  }

  #add(version: ModelVersion): void {
    if (this.#versions.has(version.version)) throw new VersionTakenError(version.version);
    this.#versions.set(version.version, version);
  }

  #archiveProductionBut(successor: ModelVersion): void {
    for (const version of this.listVersions({ stage: ModelStage.PRODUCTION }))
      if (version !== successor) version.metadata.stage = ModelStage.ARCHIVED;
  }
}
