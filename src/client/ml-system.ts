import type { ModelDetail } from '../contracts/models.ts';
import type { Prediction } from '../contracts/prediction.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { DataProcessor } from './data-processor.ts';
import { ModelManager } from './model-manager.ts';
import { ModelRegistry } from './model-registry.ts';
import type { RowInput, RowsInput } from './prediction-input.ts';
import {
  type BatchedPrediction,
  type PredictBatchOptions,
  type PredictOptions,
  Predictor,
} from './predictor.ts';
import { Trainer, type TrainingResult, type TrainModelOptions } from './trainer.ts';

/** What was asked for and does not hold; nothing else changes by it. */
export interface PlatformWarning {
  readonly code: string;
  readonly message: string;
}

/** The platform in one object: train, predict, manage. `createMLSystem` makes one that is known to work. */
export class MLSystem {
  readonly connection: Connection;
  readonly modelManager: ModelManager;
  readonly trainer: Trainer;
  readonly predictor: Predictor;
  readonly dataProcessor: DataProcessor;
  readonly modelRegistry: ModelRegistry;
  /** What was asked for and does not hold. */
  readonly warnings: readonly PlatformWarning[];

  /** Nothing is asked yet: what is wrong with address or token shows at the first call. */
  constructor(connection: ConnectionOptions | Connection = {}, warnings: readonly PlatformWarning[] = []) {
    this.connection = Connection.of(connection);
    this.modelManager = new ModelManager(this.connection);
    this.trainer = new Trainer(this.connection);
    this.predictor = new Predictor(this.connection);
    this.dataProcessor = new DataProcessor(this.connection);
    this.modelRegistry = new ModelRegistry(this.connection);
    this.warnings = warnings;
  }

  /** @throws {TrainingError} and others, as `Trainer.trainModel` */
  trainModel(options: TrainModelOptions): Promise<TrainingResult> {
    return this.trainer.trainModel(options);
  }

  /** As `Predictor.predict`. @throws {ModelNotFoundError} @throws {PredictionError} and others */
  predict(modelId: string, inputData: RowInput, options?: PredictOptions): Promise<Prediction>;
  predict(modelId: string, inputData: RowsInput, options?: PredictOptions): Promise<Prediction[]>;
  predict(
    options: PredictOptions & { readonly modelId: string; readonly inputData: RowInput },
  ): Promise<Prediction>;
  predict(
    options: PredictOptions & { readonly modelId: string; readonly inputData: RowsInput },
  ): Promise<Prediction[]>;
  predict(...given: unknown[]): Promise<Prediction | Prediction[]> {
    return this.predictor.predict(...(given as [string, RowInput]));
  }

  /** As `Predictor.predictBatch`. @throws {ModelNotFoundError} @throws {PredictionError} and others */
  predictBatch(modelId: string, inputBatch: RowsInput, batchSize?: number): Promise<BatchedPrediction[]>;
  predictBatch(options: PredictBatchOptions): Promise<BatchedPrediction[]>;
  predictBatch(...given: unknown[]): Promise<BatchedPrediction[]> {
    return this.predictor.predictBatch(...(given as [string, RowsInput]));
  }

  /** As `ModelManager.getModelInfo`. @throws {ModelNotFoundError} */
  getModelInfo(
    model: string | { readonly modelId: string; readonly tenantId?: string },
  ): Promise<ModelDetail> {
    return this.modelManager.getModelInfo(model);
  }
}
