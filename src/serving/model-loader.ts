import { createHash } from 'node:crypto';
import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import { type ArtifactTier, DigestMismatchError } from './artifact-tier.ts';
import { type InferenceEndpoints, RemoteModel } from './backends/remote-model.ts';
import type { Explainer } from './explainer.ts';
import { type ImportedGraphs, ImportedNotServedError } from './imported/imported-graphs.ts';
import { checkedManifest, type ManifestSignatures } from './manifest-signatures.ts';
import type { ModelExecutor } from './model-executor.ts';
import {
  ArtifactDamagedError,
  ArtifactRefusedError,
  ExplanationNotAvailableError,
  ModelNotServedError,
  type ServedModel,
} from './served-model.ts';
import type { ServingPointer, ServingVariant } from './serving-pointer.ts';
import type { ServingStore } from './serving-store.ts';

/**
 * What a model is thought to take before it is loaded: its file and what is made of it, for a graph of our own. A session
 * of onnxruntime takes more, which is measured and made room for once it is loaded.
 */
const residentFactor = 2;
const residentBaseBytes = 128 * 1024;

export interface ModelLoaderParts {
  readonly store: Pick<ServingStore, 'artifact'>;
  readonly executor: ModelExecutor;
  readonly signatures: ManifestSignatures;
  /** Artifact bytes nearer than the store. */
  readonly tier?: ArtifactTier | undefined;
  /** Where models may ask to be run. */
  readonly endpoints?: InferenceEndpoints | undefined;
  /** Where graphs that were brought are run: never here. */
  readonly imported?: ImportedGraphs | undefined;
  /** Told of each version that is not what was made here. */
  readonly onRefused?: ((error: ArtifactRefusedError) => void) | undefined;
}

/** One artifact of a version, as the pointer or the manifest knows it. */
interface ArtifactOf {
  readonly key: string;
  readonly sha256: string;
  readonly model: ModelName;
  readonly version: string;
}

/**
 * Makes models in memory of what is stored. Every byte is one that was registered: the signature is of the manifest, and
 * the manifest has the hashes of the rest.
 */
export class ModelLoader {
  readonly #parts: ModelLoaderParts;

  constructor(parts: ModelLoaderParts) {
    this.#parts = parts;
  }

  /** The endpoint that runs the model instead of this process: the version of production, and no other one. */
  endpointOf({ settings, environment }: ServingPointer): string | undefined {
    const isHere = this.#parts.endpoints === undefined || environment !== undefined;
    return isHere ? undefined : settings?.sagemaker_endpoint;
  }

  /** What is reserved for a version before it is loaded. */
  predictedBytes(variant: ServingVariant, endpoint?: string): number {
    return endpoint === undefined && variant.origin === undefined
      ? variant.artifact_bytes * residentFactor + residentBaseBytes
      : residentBaseBytes;
  }

  /**
   * @throws {ModelNotServedError} when its bytes are gone
   * @throws {ArtifactRefusedError} when it is not what was made here
   * @throws what the executor throws
   */
  load(tenant: TenantContext, pointer: ServingPointer, variant: ServingVariant): Promise<ServedModel> {
    const endpoint = this.endpointOf(pointer);
    return endpoint === undefined
      ? this.loadHere(tenant, pointer.model_name, variant)
      : this.#watched(this.#loadRemote(tenant, pointer.model_name, variant, endpoint));
  }

  /** The graph itself, whatever the model's configuration says. */
  loadHere(tenant: TenantContext, model: ModelName, variant: ServingVariant): Promise<ServedModel> {
    return this.#watched(this.#loadHere(tenant, model, variant));
  }

  async #loadHere(tenant: TenantContext, model: ModelName, variant: ServingVariant): Promise<ServedModel> {
    if (variant.origin === 'imported') return this.#loadImported(tenant, model, variant);
    const { artifact_key: key, artifact_sha256: sha256, version } = variant;
    const [graph, manifest] = await Promise.all([
      this.#artifact(tenant, { key, sha256, model, version }),
      this.#manifest(tenant, model, variant),
    ]);
    // Whatever the pointer says: no graph that was brought is run in this process.
    if (manifest.value.origin === 'imported') return this.#loadImported(tenant, model, variant);
    const loaded = await this.#parts.executor.load(graph);
    const { executor, residentBytes } = loaded;
    return {
      ...{ manifest: manifest.value, executor, residentBytes },
      run: (batch) => loaded.run(batch),
      release: () => loaded.release(),
    };
  }

  /** What lies beside the graph to explain it. */
  async loadExplainer(
    tenant: TenantContext,
    model: ModelName,
    { manifest_key, version }: ServingVariant,
    { sha256, json_bytes }: NonNullable<ModelManifest['explainer']>,
  ): Promise<Explainer> {
    const key = manifest_key.replace(/manifest\.json$/, 'explainer.json.gz');
    const [bytes, { Explainer: code }] = await Promise.all([
      this.#watched(this.#artifact(tenant, { key, sha256, model, version })).catch((error: unknown) => {
        // A folder of pulled models has graphs and manifests only.
        throw error instanceof ModelNotServedError ? new ExplanationNotAvailableError(model, version) : error;
      }),
      import('./explainer.ts'),
    ]);
    return code.load(bytes, json_bytes);
  }

  async #loadImported(tenant: TenantContext, model: ModelName, variant: ServingVariant) {
    const { imported: graphs, onRefused } = this.#parts;
    if (graphs === undefined) throw new ImportedNotServedError(model, variant.version);
    const [{ value, bytes }, { ImportedModel }] = await Promise.all([
      this.#manifest(tenant, model, variant),
      import('./imported/imported-model.ts'),
    ]);
    return new ImportedModel(value, bytes, { tenant, variant, graphs, onRefused });
  }

  async #loadRemote(tenant: TenantContext, model: ModelName, variant: ServingVariant, endpoint: string) {
    const { value, bytes } = await this.#manifest(tenant, model, variant);
    return new RemoteModel(value, bytes, { tenant, endpoint, endpoints: this.#parts.endpoints! });
  }

  #manifest(tenant: TenantContext, model: ModelName, variant: ServingVariant) {
    const { manifest_key: key, manifest_sha256: sha256, version } = variant;
    return checkedManifest(
      this.#artifact(tenant, { key, sha256, model, version }),
      this.#parts.signatures.checkOf(tenant.tenantId, model, variant),
    );
  }

  async #watched<Loaded>(loading: Promise<Loaded>): Promise<Loaded> {
    try {
      return await loading;
    } catch (error) {
      if (error instanceof ArtifactRefusedError) this.#parts.onRefused?.(error);
      throw error;
    }
  }

  async #artifact(tenant: TenantContext, { key, sha256, model, version }: ArtifactOf): Promise<Uint8Array> {
    const { store, tier } = this.#parts;
    const fetch = () => store.artifact(tenant, key);
    let bytes: Uint8Array | undefined;
    if (tier === undefined) {
      bytes = await fetch();
      if (bytes !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256)
        throw new ArtifactDamagedError(model, version);
    } else {
      const found = await tier.get(tenant, { key, sha256 }, fetch).catch((error: unknown) => {
        throw error instanceof DigestMismatchError ? new ArtifactDamagedError(model, version) : error;
      });
      bytes = found?.bytes;
    }
    if (bytes === undefined) throw new ModelNotServedError(model);
    return bytes;
  }
}
