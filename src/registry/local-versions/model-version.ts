import { type Bump, nextVersion, parseVersion } from '../semantic-version.ts';
import type { ModelFramework } from './model-framework.ts';
import { ModelMetadata, type ModelMetadataOptions } from './model-metadata.ts';
import type { ModelMetrics } from './model-metrics.ts';
import type { ModelStage } from './model-stage.ts';

const limit = 1_000_000_000n;

/**
 * A semantic version, MAJOR.MINOR.PATCH, with what is known of it. Versions compare by their numbers:
 * `new ModelVersion('2.0.0') > new ModelVersion('1.9.9')`.
 */
export class ModelVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly metadata: ModelMetadata;

  /** @throws {ValidationError} VERSION_NUMBER_INVALID, when the text is no version number */
  constructor(versionString: string, metadata: ModelMetadata = new ModelMetadata()) {
    [this.major, this.minor, this.patch] = parseVersion(versionString);
    this.metadata = metadata;
  }

  /** @throws {ValidationError} VERSION_NUMBER_INVALID */
  static parse(versionString: string): ModelVersion {
    return new ModelVersion(versionString);
  }

  get version(): string {
    return `${this.major}.${this.minor}.${this.patch}`;
  }

  get metrics(): ModelMetrics {
    return this.metadata.metrics;
  }

  /** @returns negative when this is the older one, 0 for the same number */
  compareTo(other: ModelVersion): number {
    return this.major - other.major || this.minor - other.minor || this.patch - other.patch;
  }

  /** @returns the number that follows: a retrain bumps minor, a changed input schema major, changed metadata patch */
  next(bump: Bump): string {
    return nextVersion(this.version, bump);
  }

  toString(): string {
    return this.version;
  }

  /** What `<` and `>` compare. Each number is below 10^9. */
  valueOf(): bigint {
    return (BigInt(this.major) * limit + BigInt(this.minor)) * limit + BigInt(this.patch);
  }
}

export interface CreateModelVersionOptions extends ModelMetadataOptions {
  readonly versionString: string;
  readonly metrics: Readonly<Record<string, number>> | ModelMetrics;
  readonly modelPath?: string;
  readonly framework?: ModelFramework;
  readonly stage?: ModelStage;
}

/**
 * A version with its metadata, in memory; `ModelVersionManager` keeps many.
 * @throws {ValidationError} when the number, a metric, the framework or the stage is none
 */
export function createModelVersion({ versionString, ...metadata }: CreateModelVersionOptions): ModelVersion {
  return new ModelVersion(versionString, new ModelMetadata(metadata));
}
