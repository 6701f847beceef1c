import type { ModelName } from '../../contracts/names.ts';
import {
  ArtifactSignatureInvalidError,
  type ManifestCheck,
  type ManifestSignatures,
  SignedManifests,
  type SignedVersion,
  unsignedManifests,
} from '../../serving/manifest-signatures.ts';
import type { FolderServingStore } from './folder-serving-store.ts';

/**
 * Signatures of models in a folder, by the keys that came with the first one that was pulled. A folder without keys was
 * filled by hand: there is nobody's word to hold its models to.
 */
export class FolderSignatures implements ManifestSignatures {
  readonly #store: Pick<FolderServingStore, 'signingKeys'>;

  constructor(store: Pick<FolderServingStore, 'signingKeys'>) {
    this.#store = store;
  }

  async checkOf(tenantId: string, model: ModelName, version: SignedVersion): Promise<ManifestCheck> {
    const known = await this.#store.signingKeys();
    if (known === undefined) return unsignedManifests.checkOf(tenantId, model, version);
    if (version.signature === undefined)
      throw new ArtifactSignatureInvalidError(
        `version ${version.version} of model ${model} carries no signature, and this folder has keys to verify by; pull it again with tenantml serve ${model}`,
      );
    const verified = new SignedManifests({
      publicKey: async (keyId) =>
        Object.hasOwn(known.keys, keyId) ? Buffer.from(known.keys[keyId]!, 'base64') : undefined,
    });
    // The server has one owner, whatever the tenant is called on the platform.
    return verified.checkOf(known.tenant, model, version);
  }
}
