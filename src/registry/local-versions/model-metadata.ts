import { z } from 'zod';
import { type Clock, isoAt, systemClock } from '../../clock.ts';
import { ModelFramework as FrameworkSchema } from '../../contracts/imported.ts';
import { ModelStage as StageSchema } from '../../contracts/models.ts';
import { Timestamp } from '../../contracts/names.ts';
import { parseWith } from '../../contracts/parse-with.ts';
import type { ModelFramework } from './model-framework.ts';
import { ModelMetrics } from './model-metrics.ts';
import { ModelStage } from './model-stage.ts';

/** As a version is written in `versions.json`. */
export const ModelMetadataDocument = z.strictObject({
  metrics: z.record(z.string(), z.number()),
  model_path: z.string().min(1).optional(),
  framework: FrameworkSchema.optional(),
  stage: StageSchema,
  description: z.string(),
  tags: z.record(z.string(), z.string()),
  created_at: Timestamp,
});
export type ModelMetadataDocument = z.infer<typeof ModelMetadataDocument>;

export interface ModelMetadataOptions {
  readonly metrics?: Readonly<Record<string, number>> | ModelMetrics;
  /** Where the model's file is. */
  readonly modelPath?: string;
  readonly framework?: ModelFramework;
  /** @default 'Development' */
  readonly stage?: ModelStage;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** RFC 3339, UTC. @default - now */
  readonly createdAt?: string;
}

/** All that is known of a version beside its number. Only its stage changes. */
export class ModelMetadata {
  readonly metrics: ModelMetrics;
  readonly modelPath: string | undefined;
  readonly framework: ModelFramework | undefined;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: string;
  #stage: ModelStage;

  /** @throws {ValidationError} that names each field that breaks a rule */
  constructor(options: ModelMetadataOptions = {}, clock: Clock = systemClock) {
    const { metrics = {}, modelPath, framework, stage = ModelStage.DEVELOPMENT } = options;
    const { description = '', tags = {}, createdAt = isoAt(clock.nowMs()) } = options;
    this.metrics = metrics instanceof ModelMetrics ? metrics : new ModelMetrics(metrics);
    const fields = {
      ...{ metrics: { ...this.metrics.values }, model_path: modelPath, framework },
      ...{ stage, description, tags, created_at: createdAt },
    };
    parseWith(ModelMetadataDocument, fields, 'metadata of a version');
    this.modelPath = modelPath;
    this.framework = framework;
    this.description = description;
    this.tags = Object.freeze({ ...tags });
    this.createdAt = createdAt;
    this.#stage = stage;
  }

  get stage(): ModelStage {
    return this.#stage;
  }

  /** Says where the version is, whatever it was: `ModelVersionManager.transitionStage` heeds the state machine. */
  set stage(stage: ModelStage) {
    parseWith(z.object({ stage: StageSchema }), { stage }, 'metadata of a version');
    this.#stage = stage;
  }

  toJSON(): ModelMetadataDocument {
    return {
      metrics: { ...this.metrics.values },
      ...(this.modelPath === undefined ? {} : { model_path: this.modelPath }),
      ...(this.framework === undefined ? {} : { framework: this.framework }),
      stage: this.#stage,
      description: this.description,
      tags: { ...this.tags },
      created_at: this.createdAt,
    };
  }
}
