import { createPublicKey, type KeyObject } from 'node:crypto';
import { isSigned } from '../contracts/manifest-statement.ts';
import type { ModelManifest } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import { ArtifactDamagedError, ArtifactRefusedError } from './served-model.ts';
import type { ServingVariant } from './serving-pointer.ts';

/** Nobody whom this deployment knows vouches for the version as it is served here. */
export class ArtifactSignatureInvalidError extends ArtifactRefusedError {
  constructor(reason: string) {
    super('ARTIFACT_SIGNATURE_INVALID', reason);
  }
}

/** @throws {ArtifactRefusedError} when the manifest is not the one that was signed, or names another graph */
export type ManifestCheck = (manifest: Pick<ModelManifest, 'build_id' | 'artifact'>) => void;

/** What a version is known by where it is loaded. */
export type SignedVersion = Pick<
  ServingVariant,
  'version' | 'manifest_sha256' | 'artifact_sha256' | 'signature'
>;

/** Whether manifests are what the platform has signed. */
export interface ManifestSignatures {
  /**
   * @returns what checks the manifest once it is there; until then the key is looked up
   * @throws {ArtifactSignatureInvalidError} when no manifest could pass
   */
  checkOf(tenantId: string, model: ModelName, version: SignedVersion): Promise<ManifestCheck>;
}

/** For folders to which nobody has ever brought a key: who writes there says what is served. */
export const unsignedManifests: ManifestSignatures = { checkOf: async () => () => {} };

/**
 * Waits for a manifest and for what checks it at the same time. What is gone is gone, whatever its signature was.
 * @throws {ArtifactRefusedError}
 * @throws what `reading` throws
 */
export async function checkedManifest(
  reading: Promise<Uint8Array>,
  checking: Promise<ManifestCheck>,
): Promise<{ value: ModelManifest; bytes: number }> {
  checking.catch(() => {}); // thrown below, unless reading has failed before
  const bytes = await reading;
  const check = await checking;
  const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as ModelManifest;
  check(value);
  return { value, bytes: bytes.byteLength };
}

export interface SignedManifestsParts {
  /** The public keys by which manifests may be signed. @returns SubjectPublicKeyInfo (DER), `undefined` for no such key */
  publicKey(keyId: string): Promise<Uint8Array | undefined>;
  /** What is made of versions from before versions were signed. @default 'refuse' */
  readonly unsigned?: 'refuse' | 'allow' | undefined;
}

const keyIdPattern = /^[A-Za-z0-9-]{1,128}$/;

/**
 * Verifies signatures with public keys and nothing else: no load waits for KMS. Keys are kept for the life of the process,
 * as what a key id names never changes; several are known at once while a deployment changes its key.
 */
export class SignedManifests implements ManifestSignatures {
  readonly #parts: SignedManifestsParts;
  readonly #keys = new Map<string, KeyObject>();

  constructor(parts: SignedManifestsParts) {
    this.#parts = parts;
  }

  async checkOf(tenantId: string, model: ModelName, signed: SignedVersion): Promise<ManifestCheck> {
    const { version, manifest_sha256: manifestSha256, artifact_sha256, signature } = signed;
    const named = `version ${version} of model ${model}`;
    if (signature === undefined) {
      if (this.#parts.unsigned === 'allow') return () => {};
      throw new ArtifactSignatureInvalidError(
        `${named} carries no signature: it was made before versions were signed; train or import it again, or set unsignedModels: 'allow' in infra/stages.ts until that is done`,
      );
    }
    const key = await this.#key(signature.key_id);
    if (key === undefined)
      throw new ArtifactSignatureInvalidError(
        `${named} is signed with the key ${signature.key_id}, whose public key is not known here; deploy again, which publishes it, or train the model again`,
      );
    return ({ build_id: buildId, artifact }) => {
      const statement = { tenantId, modelName: model, buildId, manifestSha256 };
      if (signature.algorithm !== 'ECDSA_SHA_256' || !isSigned(statement, key, signature.signature))
        throw new ArtifactSignatureInvalidError(
          `the signature of ${named} is not one of its manifest, for this model and tenant; deploy another version`,
        );
      if (artifact.sha256 !== artifact_sha256) throw new ArtifactDamagedError(model, version);
    };
  }

  async #key(keyId: string): Promise<KeyObject | undefined> {
    const known = this.#keys.get(keyId);
    if (known !== undefined || !keyIdPattern.test(keyId)) return known;
    const der = await this.#parts.publicKey(keyId);
    if (der === undefined) return undefined;
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    this.#keys.set(keyId, key);
    return key;
  }
}
