import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { Prediction } from '../contracts/prediction.ts';
import { MLFrameworkError, PredictionError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import { batchOfRows, rowsOf } from './input-rows.ts';
import { ModelCache } from './model-cache.ts';
import type { GraphOutput, LoadedModel, ModelExecutor } from './model-executor.ts';
import { predictionIds } from './prediction-id.ts';
import type { ServingPointer } from './serving-pointer.ts';
import type { ServingStore } from './serving-store.ts';

/** Nothing serves this model: it is unknown, or out of service. */
export class ModelNotServedError extends MLFrameworkError {
  constructor(model: string) {
    super('MODEL_NOT_FOUND', `no deployed model ${model}; GET /api/v1/ml/models lists yours`, {
      evidence: { model_id: model },
    });
  }
}

/** The stored bytes are not the bytes that were registered. */
export class ArtifactDamagedError extends PredictionError {
  constructor(model: string, version: string) {
    super(
      'ARTIFACT_DAMAGED',
      `the artifact of version ${version} of model ${model} does not match its sha256; deploy another version`,
    );
  }
}

/** Wraps what kept a model from being loaded, so that it is told from what kept it from predicting. */
class LoadFailure extends Error {
  constructor(cause: unknown) {
    super('the model could not be loaded', { cause });
  }
}

/** @returns the failure to load; throws every other one on */
function loadFailureOf(error: unknown): LoadFailure {
  if (error instanceof LoadFailure) return error;
  throw error;
}

/** A deployment takes effect everywhere within this time, plus one request. */
const pointerTtlMs = 2_000;
const maxPointers = 10_000;
/** Resident memory of a session over its file's bytes (measured 5 to 6), and what any session takes. */
const residentFactor = 6;
const residentBaseBytes = 512 * 1024;
const mebibyte = 1024 * 1024;
/** Of the function's memory: Node, onnxruntime and the requests themselves. */
const runtimeBytes = 320 * mebibyte;

interface ServedModel extends LoadedModel {
  readonly manifest: ModelManifest;
}

/** @returns what the model cache may take of a function with so much memory */
export const cacheBudgetBytes = (functionMemoryMiB: number): number =>
  Math.max(32 * mebibyte, Math.floor((functionMemoryMiB * mebibyte - runtimeBytes) * 0.8));

/** The prediction path, free of any transport: pointer, cache, rows in, results out. */
export class Predictor {
  readonly #store: ServingStore;
  readonly #executor: ModelExecutor;
  readonly #clock: Clock;
  readonly #cache: ModelCache<ServedModel>;
  readonly #pointers = new Map<string, { pointer: ServingPointer; untilMs: number }>();
  #idKey: Promise<Uint8Array> | undefined;

  constructor(parts: {
    store: ServingStore;
    executor: ModelExecutor;
    clock: Clock;
    cacheBytes: number;
    maxModels: number;
  }) {
    this.#store = parts.store;
    this.#executor = parts.executor;
    this.#clock = parts.clock;
    this.#cache = new ModelCache(
      { budgetBytes: parts.cacheBytes, maxModels: parts.maxModels, failedForMs: 10_000 },
      parts.clock,
    );
  }

  /**
   * @param inputData one row or a list of rows
   * @returns one result, or a list in the order of the rows
   * @throws {ModelNotServedError}
   * @throws {InvalidInputError}
   */
  async predict(
    tenant: TenantContext,
    model: ModelName,
    inputData: unknown,
  ): Promise<Prediction | Prediction[]> {
    const { rows, isList } = rowsOf(inputData);
    const [pointer, idKey] = await Promise.all([this.#pointer(tenant, model), this.#predictionIdKey()]);
    const answer = (of: ServingPointer) =>
      this.#use(tenant, of, async (served) => {
        const output = await served.run(batchOfRows(served.manifest.features, rows, isList));
        const issuer = { tenantId: tenant.tenantId, model, version: of.version };
        const ids = predictionIds(idKey, issuer, rows.length, this.#clock.nowMs());
        const results = ids.map((id, row) => resultOf(output, row, served.manifest, of, id));
        return isList ? results : results[0]!;
      });
    const outcome = await answer(pointer).catch(loadFailureOf);
    if (!(outcome instanceof LoadFailure)) return outcome;
    // The version may have been replaced and deleted since the pointer was read: then another one serves.
    this.#pointers.delete(`${tenant.tenantId}/${model}`);
    const fresh = await this.#pointer(tenant, model);
    if (fresh.revision === pointer.revision) throw outcome.cause;
    const second = await answer(fresh).catch(loadFailureOf);
    if (second instanceof LoadFailure) throw second.cause;
    return second;
  }

  #use<Result>(
    tenant: TenantContext,
    pointer: ServingPointer,
    work: (served: ServedModel) => Promise<Result>,
  ): Promise<Result> {
    return this.#cache.use(
      // The tenant is part of the key: equal bytes of two tenants are two models.
      `${tenant.tenantId}/${pointer.model_name}@${pointer.manifest_sha256}`,
      pointer.artifact_bytes * residentFactor + residentBaseBytes,
      () =>
        this.#load(tenant, pointer).catch((cause: unknown) => {
          throw new LoadFailure(cause);
        }),
      work,
    );
  }

  async #pointer(tenant: TenantContext, model: ModelName): Promise<ServingPointer> {
    const key = `${tenant.tenantId}/${model}`;
    const known = this.#pointers.get(key);
    const nowMs = this.#clock.nowMs();
    if (known !== undefined && nowMs < known.untilMs) return known.pointer;
    const pointer = await this.#store.pointer(tenant, model);
    this.#pointers.delete(key);
    if (pointer === undefined) throw new ModelNotServedError(model);
    if (this.#pointers.size >= maxPointers) this.#pointers.delete(this.#pointers.keys().next().value!);
    this.#pointers.set(key, { pointer, untilMs: nowMs + pointerTtlMs });
    return pointer;
  }

  /** Read once for the life of the process; a failed read is tried again by the next call. */
  #predictionIdKey(): Promise<Uint8Array> {
    this.#idKey ??= this.#store.predictionIdKey().catch((error: unknown) => {
      this.#idKey = undefined;
      throw error;
    });
    return this.#idKey;
  }

  async #load(tenant: TenantContext, pointer: ServingPointer): Promise<ServedModel> {
    const [graph, manifestBytes] = await Promise.all([
      this.#store.artifact(tenant, pointer.artifact_key),
      this.#store.artifact(tenant, pointer.manifest_key),
    ]);
    if (graph === undefined || manifestBytes === undefined) throw new ModelNotServedError(pointer.model_name);
    if (sha256(graph) !== pointer.artifact_sha256 || sha256(manifestBytes) !== pointer.manifest_sha256) {
      throw new ArtifactDamagedError(pointer.model_name, pointer.version);
    }
    const manifest = JSON.parse(Buffer.from(manifestBytes).toString('utf8')) as ModelManifest;
    const loaded = await this.#executor.load(graph);
    const { executor, residentBytes } = loaded;
    return {
      ...{ manifest, executor, residentBytes },
      run: (batch) => loaded.run(batch),
      release: () => loaded.release(),
    };
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function resultOf(
  output: GraphOutput,
  row: number,
  { classes }: ModelManifest,
  { model_name, version }: ServingPointer,
  predictionId: string,
): Prediction {
  const about = { model_id: model_name, model_version: version, prediction_id: predictionId };
  if (classes === undefined) return { prediction: output.values![row]!, ...about };
  const probabilities = Array.from(
    output.probabilities!.subarray(row * classes.length, (row + 1) * classes.length),
  );
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[best]!) best = k;
  return { prediction: classes[best]!, probabilities, confidence: probabilities[best]!, ...about };
}
