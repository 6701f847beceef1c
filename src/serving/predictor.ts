import type { Clock } from '../clock.ts';
import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactTier } from './artifact-tier.ts';
import type { InferenceEndpoints } from './backends/remote-model.ts';
import { cacheAnswer } from './cache/cache-answer.ts';
import { prewarm } from './cache/prewarm.ts';
import type { Explainer } from './explainer.ts';
import { emptyBatch, type FeatureBatch, sameRows } from './feature-batch.ts';
import type { ImportedGraphs } from './imported/imported-graphs.ts';
import type { KnownLimits } from './limits/tenant-limits.ts';
import type { LoggedCall, PredictionLog, ShadowResult } from './log/prediction-log.ts';
import type { ManifestSignatures } from './manifest-signatures.ts';
import type { ModelCache } from './model-cache.ts';
import type { ModelExecutor } from './model-executor.ts';
import { ModelLoader } from './model-loader.ts';
import { inputHash, type PredictionCache } from './prediction-cache.ts';
import { nextBatch, PredictionIds } from './prediction-id.ts';
import {
  type ArtifactRefusedError,
  ExplanationNotAvailableError,
  ModelNotServedError,
  type Scored,
  type ServedModel,
  VersionNotServedError,
} from './served-model.ts';
import type { ServingPointer, ServingVariant } from './serving-pointer.ts';
import type { ServingStore } from './serving-store.ts';
import { variantFor, variantOfVersion, versionsOf } from './traffic.ts';

/** Wraps what kept a model from being loaded, so that it is told from what kept it from predicting. */
class LoadFailure extends Error {
  constructor(cause: unknown) {
    super('the model could not be loaded', { cause });
  }
}

/** A deployment takes effect everywhere within this time, plus one request. */
const pointerTtlMs = 2_000;
const maxPointers = 10_000;
/** What is kept in memory: models, and what explains those that were asked to be explained. */
export type Resident = ServedModel | Explainer;

/** Which version is asked for. */
export interface VersionChoice {
  /** @default production */
  readonly environment?: TrialEnvironment | undefined;
  /** Semver; it has to be one that serves. @default - champion or canary, by weight */
  readonly version?: string | undefined;
  /** Calls with the same key get the same version while weights stay. */
  readonly routingKey?: string | undefined;
  /** Whether every row gets its SHAP values. */
  readonly explained?: boolean;
  /** Whether other models may go for this one. @default true */
  readonly mayEvict?: boolean;
}

/** One call on its way through the model. */
interface ScoringCall {
  readonly tenant: TenantContext;
  readonly ids: PredictionIds;
  readonly pointer: ServingPointer;
  readonly variant: ServingVariant;
  readonly served: ServedModel;
  readonly batch: FeatureBatch;
  readonly cache: Scored['cache'];
  readonly outputCache?: Scored['outputCache'];
  readonly explanations?: Scored['explanations'];
}

/** What is done with a version while it is in memory. */
type Work<Result> = (
  served: ServedModel,
  cache: 'hit' | 'miss',
  pointer: ServingPointer,
  variant: ServingVariant,
) => Result | Promise<Result>;

/** Makes the batch that a graph takes of what the caller sent. @throws when it cannot be read */
export type ReadBatch = (manifest: ModelManifest) => FeatureBatch;

/** The prediction path, free of any transport: pointer, variant, cache, rows in, scores out. */
export class Predictor {
  readonly #store: ServingStore;
  readonly #clock: Clock;
  readonly #cache: ModelCache<Resident>;
  readonly #limits: Pick<KnownLimits, 'cacheBounds' | 'logFeatures'> | undefined;
  readonly #log: PredictionLog | undefined;
  readonly #outputs: PredictionCache | undefined;
  readonly #loader: ModelLoader;
  readonly #pointers = new Map<string, { pointer: ServingPointer; untilMs: number }>();
  #ids: PredictionIds | undefined;

  constructor(parts: {
    store: ServingStore;
    executor: ModelExecutor;
    /** By what manifests are known to be those that were made here. */
    signatures: ManifestSignatures;
    clock: Clock;
    cache: ModelCache<Resident>;
    /** Artifact bytes nearer than the store. */
    tier?: ArtifactTier;
    /** What tenants may hold in the cache. */
    limits?: Pick<KnownLimits, 'cacheBounds' | 'logFeatures'>;
    log?: PredictionLog;
    /** Where models may ask for outputs to be kept. */
    outputs?: PredictionCache;
    /** Where models may ask to be run. */
    endpoints?: InferenceEndpoints;
    /** Where graphs that were brought are run. */
    imported?: ImportedGraphs;
    /** Told of each version that is not what was made here. */
    onRefused?: (error: ArtifactRefusedError) => void;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#outputs = parts.outputs;
    this.#loader = new ModelLoader(parts);
    this.#cache = parts.cache;
    this.#limits = parts.limits;
  }

  /**
   * @throws {ModelNotServedError}
   * @throws {VersionNotServedError}
   * @throws what `read` throws
   */
  async predict(
    tenant: TenantContext,
    model: ModelName,
    read: ReadBatch,
    choice: VersionChoice = {},
  ): Promise<Scored> {
    const ids = this.#ids ?? (await this.#readIds(tenant, model, choice.environment));
    return this.#serve(tenant, model, choice, (served, cache, pointer, variant) => {
      const batch = read(served.manifest);
      const call = { tenant, ids, pointer, variant, served, batch, cache };
      if (choice.explained === true) return this.#explained(call);
      const seconds = pointer.settings?.prediction_cache_seconds ?? 0;
      if (seconds > 0 && this.#outputs !== undefined) return this.#remembered(call, this.#outputs, seconds);
      const output = served.run(batch);
      return output instanceof Promise
        ? output.then((value) => this.#scored(call, value))
        : this.#scored(call, output);
    });
  }

  /** Scores, and says why. */
  async #explained(call: ScoringCall): Promise<Scored> {
    const { tenant, pointer, variant, served, batch } = call;
    const { explainer, features } = served.manifest;
    if (explainer === undefined) throw new ExplanationNotAvailableError(pointer.model_name, variant.version);
    // Not before it is asked for: most calls are not explained, and the code takes longer to load than they do.
    const { explainerBytes } = await import('./explainer.ts');
    const explanations = await this.#cache.use(
      { tenantId: tenant.tenantId, id: `${pointer.model_name}@${variant.manifest_sha256}@explainer` },
      { predictedBytes: explainerBytes(explainer.json_bytes) },
      () => this.#loader.loadExplainer(tenant, pointer.model_name, variant, explainer),
      (loaded) => (loaded as Explainer).explain(features, batch),
    );
    return this.#scored({ ...call, explanations }, await served.run(batch));
  }

  /** Gives the output that equal inputs had, or keeps the one that they get now. */
  async #remembered(call: ScoringCall, outputs: PredictionCache, seconds: number): Promise<Scored> {
    const { tenant, pointer, variant, served, batch } = call;
    const hash = inputHash(pointer.model_name, variant.manifest_sha256, batch);
    const known = await outputs.get(tenant, hash);
    if (known !== undefined) return this.#scored({ ...call, outputCache: 'hit' }, known);
    const output = await served.run(batch);
    const [scored] = await Promise.all([
      this.#scored({ ...call, outputCache: 'miss' }, output),
      outputs.put(tenant, hash, output, seconds),
    ]);
    return scored;
  }

  /** Loads the version and has it score a row of which everything is missing. @returns what it is made of */
  async describe(
    tenant: TenantContext,
    model: ModelName,
    choice: VersionChoice = {},
  ): Promise<{ manifest: ModelManifest; version: string; versions: readonly string[] }> {
    return this.#serve(tenant, model, choice, async (served, _cache, pointer, variant) => {
      await (served.ready?.() ?? served.run(emptyBatch(served.manifest.features, 1)));
      return { manifest: served.manifest, version: variant.version, versions: versionsOf(pointer) };
    });
  }

  /** Has the shadow of a call score its inputs; whatever goes wrong is no failure of the call. */
  async shadow(tenant: TenantContext, call: LoggedCall): Promise<ShadowResult> {
    const variant = call.shadow!;
    const { version } = variant;
    const key = { tenantId: tenant.tenantId, id: `${call.model}@${variant.manifest_sha256}` };
    const limits = this.#limits?.cacheBounds(tenant);
    // It takes what is free, and no model that answers goes for it.
    const options = {
      ...{ predictedBytes: this.#loader.predictedBytes(variant), mayEvict: false, isSweep: true, waitMs: 0 },
      ...(limits === undefined ? {} : { limits }),
    };
    const load = () => this.#loader.loadHere(tenant, call.model, variant);
    try {
      return await this.#cache.use(key, options, load, async (resident) => {
        const served = resident as ServedModel;
        const { manifest } = served;
        const output = await served.run(sameRows(call.manifest.features, call.batch, manifest.features));
        return { version, manifest, output };
      });
    } catch {
      return { version, manifest: undefined, output: undefined };
    }
  }

  /** Loads models one after the other as far as free memory goes, and evicts nothing for them. */
  prewarm(
    list: readonly { readonly tenant: TenantContext; readonly model: ModelName }[],
    { untilMs }: { readonly untilMs: number },
  ) {
    return prewarm(
      list,
      ({ tenant, model }) => this.describe(tenant, model, { mayEvict: false }),
      () => this.#clock.nowMs() < untilMs,
    );
  }

  /** @returns the tenant's own part of the model cache */
  cacheView(tenant: TenantContext) {
    return cacheAnswer(tenant.tenantId, this.#cache.view(tenant.tenantId));
  }

  #scored(call: ScoringCall, output: Scored['output']): Scored | Promise<Scored> {
    const { tenant, pointer, batch, cache, outputCache, explanations } = call;
    const { manifest } = call.served;
    const { version } = call.variant;
    const model = pointer.model_name;
    const nowMs = this.#clock.nowMs();
    const log = pointer.settings?.log === 'off' ? undefined : this.#log;
    const position = log?.place(tenant, batch.nRows, nowMs) ?? { batch: nextBatch(), firstRow: 0 };
    const issuer = { tenantId: tenant.tenantId, model, version };
    const ids = call.ids.issue(issuer, position, batch.nRows, nowMs);
    const scored: Scored = {
      ...{ model, version, manifest, batch, output, ids },
      ...{ cache, outputCache, explanations },
    };
    const kept = log?.add(tenant, position, {
      ...{ model, version, manifest, batch, output, ids },
      settings: this.#loggedAs(tenant, pointer.settings),
      environment: pointer.environment,
      shadow: pointer.shadow,
      atMs: nowMs,
      requestId: tenant.requestId,
    });
    return kept === undefined ? scored : kept.then(() => scored);
  }

  /** The settings of a model, with the tenant's own choice where the model leaves open what the log keeps. */
  #loggedAs(tenant: TenantContext, settings: ServingPointer['settings']): ServingPointer['settings'] {
    const kept = this.#limits?.logFeatures(tenant);
    if (kept === undefined || settings?.log_features !== undefined) return settings;
    return { ...settings, log_features: kept };
  }

  async #serve<Result>(
    tenant: TenantContext,
    model: ModelName,
    choice: VersionChoice,
    work: Work<Result>,
  ): Promise<Result> {
    const { environment } = choice;
    const pointer =
      this.#knownPointer(pointerKey(tenant, model, environment)) ??
      (await this.#freshPointer(tenant, model, environment));
    try {
      return await this.#use(tenant, pointer, choice, work);
    } catch (error) {
      if (!(error instanceof LoadFailure) && !(error instanceof VersionNotServedError)) throw error;
      // The version may have been replaced and deleted since the pointer was read: then another one serves.
      const fresh = await this.#freshPointer(tenant, model, environment);
      if (fresh.revision === pointer.revision) throw error instanceof LoadFailure ? error.cause : error;
      try {
        return await this.#use(tenant, fresh, choice, work);
      } catch (second) {
        throw second instanceof LoadFailure ? second.cause : second;
      }
    }
  }

  #use<Result>(
    tenant: TenantContext,
    pointer: ServingPointer,
    choice: VersionChoice,
    work: Work<Result>,
  ): Promise<Result> {
    const variant =
      choice.version === undefined
        ? variantFor(pointer, choice.routingKey)
        : variantOfVersion(pointer, choice.version);
    if (variant === undefined)
      throw new VersionNotServedError(pointer.model_name, choice.version!, versionsOf(pointer));
    const endpoint = this.#loader.endpointOf(pointer);
    const bounds = this.#limits?.cacheBounds(tenant);
    return this.#cache.use(
      {
        tenantId: tenant.tenantId,
        id: `${pointer.model_name}@${variant.manifest_sha256}${endpoint === undefined ? '' : `@endpoint ${endpoint}`}`,
      },
      {
        predictedBytes: this.#loader.predictedBytes(variant, endpoint),
        ...(bounds === undefined ? {} : { limits: bounds }),
        ...(choice.mayEvict === false ? { mayEvict: false } : {}),
      },
      () =>
        this.#loader.load(tenant, pointer, variant).catch((cause: unknown) => {
          throw new LoadFailure(cause);
        }),
      (served, { cache }) => work(served as ServedModel, cache, pointer, variant),
    );
  }

  #knownPointer(key: string): ServingPointer | undefined {
    const known = this.#pointers.get(key);
    return known !== undefined && this.#clock.nowMs() < known.untilMs ? known.pointer : undefined;
  }

  async #freshPointer(
    tenant: TenantContext,
    model: ModelName,
    environment: TrialEnvironment | undefined,
  ): Promise<ServingPointer> {
    const key = pointerKey(tenant, model, environment);
    const askedAtMs = this.#clock.nowMs();
    const pointer = await this.#store.pointer(tenant, model, environment);
    this.#pointers.delete(key);
    if (pointer === undefined) throw new ModelNotServedError(model, environment);
    if (this.#pointers.size >= maxPointers) this.#pointers.delete(this.#pointers.keys().next().value!);
    this.#pointers.set(key, { pointer, untilMs: askedAtMs + pointerTtlMs });
    return pointer;
  }

  /** The key of ids is read once for the life of a process, beside the first pointer. */
  async #readIds(
    tenant: TenantContext,
    model: ModelName,
    environment: TrialEnvironment | undefined,
  ): Promise<PredictionIds> {
    const [secret] = await Promise.all([
      this.#store.predictionIdKey(),
      this.#knownPointer(pointerKey(tenant, model, environment)) ??
        this.#freshPointer(tenant, model, environment),
    ]);
    this.#ids ??= new PredictionIds(secret);
    return this.#ids;
  }
}

/** No name of a model holds an "@". */
function pointerKey(
  tenant: TenantContext,
  model: ModelName,
  environment: TrialEnvironment | undefined,
): string {
  const key = `${tenant.tenantId}/${model}`;
  return environment === undefined ? key : `${key}@${environment}`;
}
