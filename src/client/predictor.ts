import type { z } from 'zod';
import type { Environment } from '../contracts/environment-names.ts';
import type { BatchedPredictionResponse, Prediction } from '../contracts/prediction.ts';
import { type FieldError, PredictionError, ValidationError } from '../errors.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { asPrediction } from './failing-as.ts';
import { given } from './given.ts';
import {
  type Chunk,
  chunksOf,
  isManyRows,
  type RowInput,
  type RowsInput,
  rowList,
  type WireRow,
  wireRow,
} from './prediction-input.ts';

export interface PredictOptions {
  /** Whose version answers. @default 'production' */
  readonly environment?: Environment;
  /** Adds to each result what each feature did to it. */
  readonly explain?: 'shap';
  /** The tenant that is meant; another than the token's is refused. */
  readonly tenantId?: string;
}

type OfModel<Input> = PredictOptions & { readonly modelId: string; readonly inputData: Input };

export interface PredictBatchOptions extends Omit<PredictOptions, 'explain'> {
  readonly modelId: string;
  /** The rows, by either of the names that the documents have for them. */
  readonly inputData?: RowsInput;
  readonly inputBatch?: RowsInput;
  /** 1 to 1,000. Goes along with each call, and changes nothing of the result: all rows of a call are scored at once. @default 32 */
  readonly batchSize?: number;
}

/** The result of a row, or why it has none. */
export type BatchedPrediction = z.output<typeof BatchedPredictionResponse>['predictions'][number];
type RowFailure = Exclude<BatchedPrediction, Prediction>;

/** Asks the deployed versions of models. */
export class Predictor {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * Predicts for one row, or for many: then the answers are a list in their order, and a row that cannot be read fails
   * the call. More than 1,000 rows go in several calls.
   * @throws {ValidationError} when the input holds what cannot be sent, such as Infinity
   * @throws {ModelNotFoundError} when there is no such model, or no version of it is deployed
   * @throws {PredictionError} when the input is refused, or the model fails; its code says why
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  predict(modelId: string, inputData: RowInput, options?: PredictOptions): Promise<Prediction>;
  predict(modelId: string, inputData: RowsInput, options?: PredictOptions): Promise<Prediction[]>;
  predict(options: OfModel<RowInput>): Promise<Prediction>;
  predict(options: OfModel<RowsInput>): Promise<Prediction[]>;
  async predict(
    model: string | OfModel<RowInput | RowsInput>,
    input?: RowInput | RowsInput,
    more: PredictOptions = {},
  ): Promise<Prediction | Prediction[]> {
    const options = typeof model === 'string' ? { ...more, modelId: model, inputData: input } : model;
    const inputData = required(options.inputData);
    await this.#connection.requireTenant(options.tenantId);
    const ask = this.#asking(options);
    if (!isManyRows(inputData)) return (await ask(wireRow(inputData))) as Prediction;
    const rows = rowList(inputData).map((row, i) => [i, wireRow(row, i)] as const);
    const results: Prediction[] = [];
    for (const chunk of chunksOf(rows))
      results.push(...((await placing(chunk, () => ask(chunk.rows))) as Prediction[]));
    return results;
  }

  /**
   * Predicts for rows that stand for themselves: as many results as rows, in their order; one that cannot be read has an
   * `error` in its place.
   * @throws {ModelNotFoundError} when there is no such model, or no version of it is deployed
   * @throws {PredictionError} when all of it is refused, or the model fails
   * @throws {ApiError} when the caller may not, or the platform is busy or fails
   */
  predictBatch(modelId: string, inputBatch: RowsInput, batchSize?: number): Promise<BatchedPrediction[]>;
  predictBatch(options: PredictBatchOptions): Promise<BatchedPrediction[]>;
  async predictBatch(
    model: string | PredictBatchOptions,
    input?: RowsInput,
    size?: number,
  ): Promise<BatchedPrediction[]> {
    const options: PredictBatchOptions =
      typeof model === 'string'
        ? { modelId: model, ...given({ inputBatch: input, batchSize: size }) }
        : model;
    const { modelId, batchSize = 32, environment } = options;
    const rows = rowList(required(options.inputData ?? options.inputBatch));
    await this.#connection.requireTenant(options.tenantId);
    const params = { model_name: modelNameOf(modelId) };
    const results = new Array<BatchedPrediction>(rows.length);
    const readable: [number, WireRow][] = [];
    for (const [place, row] of rows.entries()) {
      const read = readRow(row, place);
      if ('error' in read) results[place] = read.error;
      else readable.push([place, read.row]);
    }
    for (const { places, rows: input_batch } of chunksOf(readable)) {
      const { predictions } = await asPrediction(() =>
        this.#connection.client.call('predictBatch', {
          ...{ params, query: given({ environment }) },
          body: { input_batch, batch_size: batchSize },
        }),
      );
      for (const [i, one] of predictions.entries())
        results[places[i]!] = 'error' in one ? placed(one, places) : one;
    }
    return results;
  }

  #asking({ modelId, environment, explain }: PredictOptions & { readonly modelId: string }) {
    const params = { model_name: modelNameOf(modelId) };
    return (input_data: WireRow | WireRow[]) =>
      asPrediction(() =>
        this.#connection.client.call('predict', {
          ...{ params, query: given({ environment }) },
          body: { input_data, ...given({ explain }) },
        }),
      );
  }
}

function required<Input>(input: Input | undefined): Input {
  if (input !== undefined) return input;
  throw new ValidationError('inputData is missing: give a row or a list of rows', {
    errors: [{ pointer: '/inputData', detail: 'required' }],
  });
}

/** What JSON has nothing for fails its own row, as what the platform cannot read does. */
function readRow(row: unknown, place: number): { row: WireRow } | { error: RowFailure } {
  try {
    return { row: wireRow(row, place) };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return { error: { error: { code: 'INVALID_INPUT', detail: error.message, errors: [...error.errors] } } };
  }
}

/** Errors of a call name rows by their place in it; here they name them by their place among all rows. */
const movedErrors = (errors: readonly FieldError[], places: readonly number[]): FieldError[] =>
  errors.map(({ pointer, detail }) => ({
    pointer: pointer.replace(
      /^(\/input_\w+\/)(\d+)/,
      (_, list, row) => `${list}${places[Number(row)] ?? row}`,
    ),
    detail,
  }));

const placed = ({ error }: RowFailure, places: readonly number[]): RowFailure => ({
  error: { ...error, errors: movedErrors(error.errors, places) },
});

async function placing<Result>({ places }: Chunk, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PredictionError) || places[0] === 0) throw error;
    throw new PredictionError(error.code, `in the call of rows from ${places[0]} on: ${error.message}`, {
      ...{ cause: error, errors: movedErrors(error.errors, places) },
    });
  }
}
