import { createHash } from 'node:crypto';
import type { ModelManifest } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import { MLFrameworkError, PredictionError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { type ImportedGraphs, ImportedNotServedError } from '../imported/imported-graphs.ts';
import { ImportedModel } from '../imported/imported-model.ts';
import { checkedManifest, type ManifestSignatures } from '../manifest-signatures.ts';
import type { LoadedModel, ModelExecutor } from '../model-executor.ts';
import { ArtifactDamagedError } from '../served-model.ts';
import type { ServingPointer, ServingVariant } from '../serving-pointer.ts';

/** The bytes of versions, by the keys that a pinned version names. */
export interface VersionFiles {
  /** @returns `undefined` when there is no such object */
  bytes(tenant: TenantContext, key: string): Promise<Uint8Array | undefined>;
}

/** The version was deleted after it was pinned. */
export class PinnedVersionGoneError extends MLFrameworkError {
  constructor(model: string, version: string) {
    super(
      'VERSION_NOT_FOUND',
      `version ${version} of model ${model} was deleted before all rows were scored; start again with another version`,
    );
  }
}

/** What a batch function has for a loaded model. */
export class ModelTooLargeForBatchError extends PredictionError {
  constructor(neededMiB: number, limitMiB: number) {
    super(
      'MODEL_TOO_LARGE',
      `the model needs about ${neededMiB} MiB, a batch function has ${limitMiB} MiB for it; train a smaller one, for instance with fewer trees`,
    );
  }
}

/**
 * The one version that scores all rows of a batch, however long that takes and whatever is deployed meanwhile.
 * @param name any name of a version; the champion when left out
 * @returns `undefined` when no version that the pointer speaks of is known by that name
 */
export function pinnedBy(pointer: ServingPointer, name: string | undefined): ServingVariant | undefined {
  const { canary, shadow } = pointer;
  const found =
    name === undefined ? pointer : [pointer, canary, shadow].find((one) => one && isNamed(one, name));
  if (found === undefined) return undefined;
  const { version, artifact_key, artifact_sha256, artifact_bytes, manifest_key, manifest_sha256 } = found;
  const { signature, origin } = found;
  return {
    ...{ version, artifact_key, artifact_sha256, artifact_bytes, manifest_key, manifest_sha256 },
    ...(signature === undefined ? {} : { signature }),
    ...(origin === undefined ? {} : { origin }),
  };
}

const isNamed = ({ version, artifact_sha256, artifact_key }: ServingVariant, name: string): boolean =>
  name === version || name === artifact_sha256 || artifact_key.includes(`/builds/${name}/`);

interface Where {
  readonly tenant: TenantContext;
  readonly model: ModelName;
  readonly files: VersionFiles;
  readonly signatures: ManifestSignatures;
}

/**
 * @throws {PinnedVersionGoneError}
 * @throws {ArtifactRefusedError} when it is not what was made here
 */
export async function manifestOf(where: Where, pinned: ServingVariant): Promise<ModelManifest> {
  const { value } = await checkedManifest(
    verified(where, pinned, pinned.manifest_key, pinned.manifest_sha256),
    where.signatures.checkOf(where.tenant.tenantId, where.model, pinned),
  );
  return value;
}

async function verified(
  { tenant, model, files }: Where,
  { version }: ServingVariant,
  key: string,
  sha256: string,
): Promise<Uint8Array> {
  const bytes = await files.bytes(tenant, key);
  if (bytes === undefined) throw new PinnedVersionGoneError(model, version);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new ArtifactDamagedError(model, version);
  return bytes;
}

/** Resident memory of a session over its file's bytes (measured 5 to 6), and what any session takes. */
const residentFactor = 6;
const residentBaseBytes = 512 * 1024;
const mebibyte = 1024 * 1024;

/** @throws {ModelTooLargeForBatchError} */
export function checkModelSize({ artifact_bytes, origin }: ServingVariant, limitBytes: number): void {
  // What was imported is run elsewhere.
  if (origin === 'imported') return;
  const needed = artifact_bytes * residentFactor + residentBaseBytes;
  if (needed <= limitBytes) return;
  throw new ModelTooLargeForBatchError(Math.ceil(needed / mebibyte), Math.floor(limitBytes / mebibyte));
}

export interface ScoringModel {
  readonly manifest: ModelManifest;
  readonly model: LoadedModel;
}

/**
 * The model of the last part, kept while its process is warm: parts of one job follow each other. Apart from the cache
 * of online predictions, which a sweep through all models would empty.
 */
export class LastModel {
  readonly #executor: ModelExecutor;
  readonly #imported: ImportedGraphs | undefined;
  #kept: { readonly key: string; readonly loaded: ScoringModel } | undefined;

  /** @param imported where graphs that were brought are run: never here */
  constructor(executor: ModelExecutor, imported?: ImportedGraphs) {
    this.#executor = executor;
    this.#imported = imported;
  }

  async of(where: Where, pinned: ServingVariant): Promise<ScoringModel> {
    const key = `${where.tenant.tenantId}/${where.model}@${pinned.manifest_sha256}`;
    if (this.#kept?.key === key) return this.#kept.loaded;
    await this.#kept?.loaded.model.release();
    this.#kept = undefined;
    const manifest = await manifestOf(where, pinned);
    if (manifest.origin === 'imported') return this.#elsewhere(where, pinned, manifest);
    const graph = await verified(where, pinned, pinned.artifact_key, pinned.artifact_sha256);
    const loaded = { manifest, model: await this.#executor.load(graph) };
    this.#kept = { key, loaded };
    return loaded;
  }

  #elsewhere({ tenant, model }: Where, pinned: ServingVariant, manifest: ModelManifest): ScoringModel {
    if (this.#imported === undefined) throw new ImportedNotServedError(model, pinned.version);
    const at = { tenant, variant: pinned, graphs: this.#imported };
    return { manifest, model: new ImportedModel(manifest, 0, at) };
  }
}
