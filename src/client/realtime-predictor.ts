import type { Prediction } from '../contracts/prediction.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { ApiError, ModelNotFoundError } from './http-client.ts';
import type { RowInput } from './prediction-input.ts';
import { type PredictOptions, Predictor } from './predictor.ts';

/** Answers for one model, one row at a time. */
export class RealtimePredictor {
  readonly modelId: string;
  readonly #connection: Connection;
  readonly #predictor: Predictor;

  constructor(modelId: string, connection: ConnectionOptions | Connection = {}) {
    this.modelId = modelNameOf(modelId);
    this.#connection = Connection.of(connection);
    this.#predictor = new Predictor(this.#connection);
  }

  /** @throws {ModelNotFoundError} @throws {PredictionError} @throws {ApiError} as `Predictor.predict` */
  predict(inputData: RowInput, options?: PredictOptions): Promise<Prediction> {
    return this.#predictor.predict(this.modelId, inputData, options);
  }

  /**
   * Loads the model where it is not loaded, and has it score a row.
   * @returns whether it did; false also when nothing is deployed
   * @throws {ApiError} when that cannot be said
   */
  async isReady(): Promise<boolean> {
    try {
      const params = { model_name: modelNameOf(this.modelId) };
      return (await this.#connection.client.call('modelReady', { params })).ready;
    } catch (error) {
      if (error instanceof ModelNotFoundError) return false;
      if (error instanceof ApiError && [404, 503].includes(error.status)) return false;
      throw error;
    }
  }
}
