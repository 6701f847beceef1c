import type { ModelManifest } from '../../contracts/models.ts';
import { PredictionError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { type FeatureBatch, missingInt64 } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';
import type { ServedModel } from '../served-model.ts';

/** Where models run that are not run here. */
export interface InferenceEndpoints {
  /**
   * @param name of the tenant's own endpoint
   * @param body JSON
   * @returns the body of the answer
   * @throws {BackendError}
   */
  invoke(tenant: TenantContext, name: string, body: string): Promise<string>;
}

/** The endpoint that a model is configured to be asked at did not give what was asked. */
export class BackendError extends PredictionError {
  constructor(endpoint: string, what: string, options: { cause?: unknown } = {}) {
    super(
      'BACKEND_FAILED',
      `endpoint ${endpoint} ${what}; look into its logs, or change the model's serving configuration`,
      options,
    );
  }
}

/** A version whose manifest is here and whose graph runs elsewhere: it takes little memory, whatever its size. */
export class RemoteModel implements ServedModel {
  readonly executor = 'sagemaker';
  readonly residentBytes: number;
  readonly manifest: ModelManifest;
  readonly #endpoints: InferenceEndpoints;
  readonly #tenant: TenantContext;
  readonly #endpoint: string;

  constructor(
    manifest: ModelManifest,
    manifestBytes: number,
    at: { endpoints: InferenceEndpoints; tenant: TenantContext; endpoint: string },
  ) {
    this.manifest = manifest;
    this.residentBytes = 4 * manifestBytes;
    this.#endpoints = at.endpoints;
    this.#tenant = at.tenant;
    this.#endpoint = at.endpoint;
  }

  /** Asks as MLflow's scoring protocol has it, which SageMaker's containers for MLflow and `tenantml serve` speak. */
  async run(batch: FeatureBatch): Promise<GraphOutput> {
    const { features, classes } = this.manifest;
    const data = Array.from({ length: batch.nRows }, (_, row) =>
      batch.features.map((values) => {
        if (values.kind === 'string') return values.data[row] || null;
        if (values.kind === 'int64')
          return values.data[row] === missingInt64 ? null : Number(values.data[row]);
        return Number.isNaN(values.data[row]!) ? null : values.data[row]!;
      }),
    );
    const body = JSON.stringify({
      dataframe_split: { columns: features.map(({ name }) => name), data },
      ...(classes === undefined ? {} : { params: { predict_method: 'predict_proba' } }),
    });
    const answer = await this.#endpoints.invoke(this.#tenant, this.#endpoint, body);
    const { predictions } = this.#parsed(answer);
    if (!Array.isArray(predictions) || predictions.length !== batch.nRows)
      throw new BackendError(this.#endpoint, `did not answer ${batch.nRows} predictions`);
    if (classes === undefined) {
      if (!predictions.every(Number.isFinite)) throw new BackendError(this.#endpoint, 'answered no numbers');
      return { values: Float32Array.from(predictions) };
    }
    const isRow = (row: unknown) =>
      Array.isArray(row) && row.length === classes.length && row.every(Number.isFinite);
    if (!predictions.every(isRow))
      throw new BackendError(this.#endpoint, `did not answer ${classes.length} probabilities a row`);
    return { probabilities: Float32Array.from(predictions.flat()) };
  }

  #parsed(answer: string): { predictions?: unknown } {
    try {
      return (JSON.parse(answer) as { predictions?: unknown } | null) ?? {};
    } catch (cause) {
      throw new BackendError(this.#endpoint, 'answered no JSON', { cause });
    }
  }

  async release(): Promise<void> {}
}
