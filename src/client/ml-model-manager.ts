import type { MLModelMetadata } from '../contracts/models.ts';
import type {
  FeedbackResponse,
  ModelPerformanceMetrics,
  ModelPerformanceResponse,
} from '../contracts/monitoring.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { given } from './given.ts';
import { ModelDeployment } from './model-deployment.ts';
import { ModelRegistry } from './model-registry.ts';
import { Trainer } from './trainer.ts';
import { TrainingConfig, type TrainingConfigFields } from './training-config.ts';

export interface RecordFeedbackOptions {
  readonly modelName: string;
  readonly predictionId: string;
  /** The label or value that was right, of the type of the prediction. */
  readonly actualOutcome: string | number | boolean;
  /** What people say of the prediction. */
  readonly userFeedback?: string;
}

/** Metrics by feedback, with what they are compared with and what follows from it. */
export type MonitoredPerformance = ModelPerformanceMetrics & Omit<ModelPerformanceResponse, 'live'>;

/** Training, deploying, feedback and monitoring of a business's models; a business is a tenant. */
export class MLModelManager {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * Trains and waits for the end.
   * @param config what is trained on what
   * @param businessId the tenant that is meant; another than the token's is refused
   * @returns all that is known of the new version
   * @throws {ValidationError} when the config breaks a rule, or the business is another
   * @throws {TrainingError} when the training is refused or fails; its code says why
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  async trainModel(
    config: TrainingConfig | TrainingConfigFields,
    businessId?: string,
  ): Promise<MLModelMetadata> {
    const { modelName, featureColumns, ...rest } =
      config instanceof TrainingConfig ? config : new TrainingConfig(config);
    const trained = await new Trainer(this.#connection).train({
      ...{ ...rest, modelId: modelName },
      ...given({ featureColumns, tenantId: businessId }),
    });
    return new ModelRegistry(this.#connection).getVersion({ modelName, version: trained.model_version });
  }

  /** Sends predictions to a version, within 5 seconds. @returns true; what prevents it is thrown @throws {ApiError} */
  async deployModel(modelName: string, modelVersion: string): Promise<true> {
    await new ModelDeployment(this.#connection).deploy(modelName, modelVersion);
    return true;
  }

  /** @returns all that is known of the version that serves @throws {ModelNotFoundError} @throws {ApiError} */
  async getActiveModel(modelName: string): Promise<MLModelMetadata> {
    const params = { model_name: modelNameOf(modelName) };
    return this.#connection.client.call('getModelMetadata', { params, query: {} });
  }

  /**
   * Says what was true for a prediction; said again, the last word counts.
   * @throws {ApiError} PREDICTION_NOT_FOUND, when this model has not made the prediction
   */
  async recordFeedback(feedback: RecordFeedbackOptions): Promise<FeedbackResponse> {
    const { modelName, predictionId, actualOutcome, userFeedback } = feedback;
    return this.#connection.client.call('recordFeedback', {
      body: {
        ...{ model_name: modelNameOf(modelName), prediction_id: predictionId, actual_outcome: actualOutcome },
        ...given({ user_feedback: userFeedback }),
      },
    });
  }

  /**
   * @param windowDays predictions of these days are counted
   * @returns how the deployed version does by feedback, with the verdict
   * @throws {ModelNotFoundError}
   */
  async monitorModelPerformance(
    modelName: string,
    { windowDays }: { readonly windowDays?: number } = {},
  ): Promise<MonitoredPerformance> {
    const { live, ...verdict } = await this.#connection.client.call('getPerformance', {
      params: { model_name: modelNameOf(modelName) },
      query: given({ window_days: windowDays }),
    });
    return { ...live, ...verdict };
  }
}
