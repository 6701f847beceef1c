import type { ModelPerformanceResponse } from '../contracts/monitoring.ts';
import type { PromotionResult, VersionComparison } from '../contracts/registry.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { given } from './given.ts';
import { ModelDeployment } from './model-deployment.ts';
import { ModelRegistry } from './model-registry.ts';
import { type CompletedTraining, Trainer, type TrainModelOptions } from './trainer.ts';

export interface PipelineOptions extends Omit<TrainModelOptions, 'autoPromote'> {
  /** What a new version has to be better in. @default - f1_score or r2, by the task */
  readonly metricName?: string;
  /** By how much, as an absolute difference. @default 0.01 */
  readonly improvementThreshold?: number;
  /** Hears which step begins. */
  readonly onStep?: (step: PipelineStep) => void;
}

export type PipelineStep = 'train' | 'compare' | 'gate' | 'monitor';

/** What each step of a run came to. */
export interface PipelineRun {
  readonly model_id: string;
  readonly model_version: string;
  /** Whether the new version serves, or the one that did. */
  readonly decision: PromotionResult['decision'];
  readonly reason: string;
  readonly steps: {
    readonly train: CompletedTraining;
    /** The new version as `b` beside the one that served; absent when nothing served. */
    readonly compare?: VersionComparison;
    readonly gate: PromotionResult;
    /** Of the version that serves now, by feedback. */
    readonly monitor: ModelPerformanceResponse;
  };
}

/** Train, compare with what serves, deploy if it is better, and look at how what serves does: in one call. */
export class MLOpsPipeline {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * A version that is not better is kept, which is no failure. Comparing needs the same holdout: the same data, or a
   * version that was trained on other data is kept.
   * @throws {TrainingError} when the training is refused or fails; what served goes on serving
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  async run(options: PipelineOptions): Promise<PipelineRun> {
    const { metricName, improvementThreshold, onStep, ...training } = options;
    const [registry, modelName] = [new ModelRegistry(this.#connection), options.modelId];
    const gate = given({ metricName, improvementThreshold });

    onStep?.('train');
    const train = await new Trainer(this.#connection).train({ ...training, autoPromote: false });
    const version = train.model_version;

    onStep?.('compare');
    const champion = await new ModelDeployment(this.#connection).activeVersion(modelName);
    const compare =
      champion === undefined
        ? undefined
        : await registry.compareVersions({ modelName, a: champion, b: version, ...gate });

    onStep?.('gate');
    const promotion = await registry.promote({ modelName, version, ...gate });

    onStep?.('monitor');
    const params = { model_name: modelNameOf(modelName) };
    const monitor = await this.#connection.client.call('getPerformance', { params, query: {} });
    return {
      ...{ model_id: train.model_name, model_version: version },
      ...{ decision: promotion.decision, reason: promotion.reason },
      steps: { train, ...(compare === undefined ? {} : { compare }), gate: promotion, monitor },
    };
  }
}
