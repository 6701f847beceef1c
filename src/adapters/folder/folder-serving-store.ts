import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ManifestSignature } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import { compareVersions } from '../../registry/semantic-version.ts';
import type { ServingPointer } from '../../serving/serving-pointer.ts';
import type { ServingStore } from '../../serving/serving-store.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** The file that names the version that serves; without it the highest one does. */
export const championFile = 'champion';
/** Beside a manifest: by which key it is signed. */
export const signatureFile = 'signature.json';
/** Whose models the folder holds, and the public keys that were brought with the first of them. */
export const signingKeysFile = 'signing-keys.json';
const idKeyFile = '.prediction-id-key';
const modelPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const semver = /^\d+\.\d+\.\d+$/;

/** What `signing-keys.json` holds. */
export interface FolderSigningKeys {
  /** Whose models these are on the platform. */
  readonly tenant: string;
  /** Public keys by their id: SubjectPublicKeyInfo, DER in base64. */
  readonly keys: Readonly<Record<string, string>>;
}

interface KnownFile {
  readonly mtimeMs: number;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Models in a folder: `<model>/<version>/model.onnx` and `manifest.json`, and in `<model>/champion` the version that
 * serves. It holds the models of one tenant and answers no other. What changes in it is served within seconds.
 */
export class FolderServingStore implements ServingStore {
  readonly #folder: string;
  readonly #tenantId: string;
  /** Hashes of files that have not changed since. */
  readonly #known = new Map<string, KnownFile>();
  #idKey: Promise<Uint8Array> | undefined;

  constructor(folder: string, tenantId: string) {
    this.#folder = folder;
    this.#tenantId = tenantId;
  }

  /** Names of the models that have a version. */
  async models(): Promise<ModelName[]> {
    // Mounted volumes hold links: whether a name is a folder, its versions tell.
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => modelPattern.test(name));
    const served = await Promise.all(
      names.map(async (name) => ((await this.#version(name)) ? name : undefined)),
    );
    return served.filter((name) => name !== undefined) as ModelName[];
  }

  /** A folder is one environment: that of production. */
  async pointer(
    tenant: TenantContext,
    model: ModelName,
    environment?: TrialEnvironment,
  ): Promise<ServingPointer | undefined> {
    if (environment !== undefined) return undefined;
    if (tenant.tenantId !== this.#tenantId || !modelPattern.test(model)) return undefined;
    const version = await this.#version(model);
    if (version === undefined) return undefined;
    const artifactKey = join(model, version, 'model.onnx');
    const manifestKey = join(model, version, 'manifest.json');
    const [artifact, manifest, signed] = await Promise.all([
      this.#file(artifactKey),
      this.#file(manifestKey),
      readFile(join(this.#folder, model, version, signatureFile), 'utf8').catch(absent),
    ]);
    if (artifact === undefined || manifest === undefined) return undefined;
    return {
      model_name: model,
      version,
      ...{ artifact_key: artifactKey, artifact_sha256: artifact.sha256, artifact_bytes: artifact.size },
      ...{ manifest_key: manifestKey, manifest_sha256: manifest.sha256 },
      ...(signed === undefined ? {} : { signature: signatureOf(signed) }),
      // Another revision for other bytes: a pointer that was read again tells whether anything has changed.
      revision: Math.round(Math.max(artifact.mtimeMs, manifest.mtimeMs)),
    };
  }

  /** @returns `undefined` in a folder to which no signed model was ever brought */
  async signingKeys(): Promise<FolderSigningKeys | undefined> {
    const text = await readFile(join(this.#folder, signingKeysFile), 'utf8').catch(absent);
    return text === undefined ? undefined : (JSON.parse(text) as FolderSigningKeys);
  }

  async artifact(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    if (tenant.tenantId !== this.#tenantId || key.split(/[\\/]/).includes('..')) return undefined;
    return readFile(join(this.#folder, key)).catch(absent);
  }

  /** Kept in the folder where that can be written, so that ids stay known; else made anew by each process. */
  predictionIdKey(): Promise<Uint8Array> {
    this.#idKey ??= this.#readIdKey();
    return this.#idKey;
  }

  async #readIdKey(): Promise<Uint8Array> {
    const file = join(this.#folder, idKeyFile);
    const known = await readFile(file).catch(absent);
    if (known?.byteLength === 32) return known;
    const made = randomBytes(32);
    await mkdir(this.#folder, { recursive: true }).catch(absent);
    await writeFile(file, made, { mode: 0o600 }).catch(absent);
    return made;
  }

  async #version(model: string): Promise<string | undefined> {
    const named = (await readFile(join(this.#folder, model, championFile), 'utf8').catch(absent))?.trim();
    if (named !== undefined && semver.test(named)) return named;
    const entries = await readdir(join(this.#folder, model)).catch(() => []);
    return entries
      .filter((name) => semver.test(name))
      .sort(compareVersions)
      .at(-1);
  }

  async #file(key: string): Promise<KnownFile | undefined> {
    const path = join(this.#folder, key);
    const stats = await stat(path).catch(absent);
    if (stats === undefined) return undefined;
    const known = this.#known.get(key);
    if (known?.mtimeMs === stats.mtimeMs && known.size === stats.size) return known;
    const bytes = await readFile(path).catch(absent);
    if (bytes === undefined) return undefined;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const file = { mtimeMs: stats.mtimeMs, size: bytes.byteLength, sha256 };
    this.#known.set(key, file);
    return file;
  }
}

/** A file that is none is a signature that holds for nothing, rather than none. */
function signatureOf(text: string): ManifestSignature {
  try {
    return JSON.parse(text) as ManifestSignature;
  } catch {
    return { key_id: 'unreadable', algorithm: 'ECDSA_SHA_256', signature: '' };
  }
}

/** What is not there, or cannot be read or written, is absent. */
const absent = (): undefined => undefined;
