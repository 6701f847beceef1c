import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSigned } from '../contracts/manifest-statement.ts';
import type { ArtifactLink, ModelManifest } from '../contracts/models.ts';
import { ApiError } from './http-client.ts';

/** Whose models a folder holds, and by which keys they are known; written with the first one that is pulled. */
interface FolderKeys {
  readonly tenant: string;
  readonly keys: Readonly<Record<string, string>>;
}

type Signature = NonNullable<ArtifactLink['signature']>;

const refused = (reason: string) => new ApiError(500, 'ARTIFACT_SIGNATURE_INVALID', reason);

/**
 * Trust on first use: the first pull, over the authenticated API, brings the key, and later ones have to be signed with
 * it. A deployment that has changed its key is trusted again when somebody removes `signing-keys.json`.
 */
export class PulledTrust {
  readonly #file: string;
  readonly #known: FolderKeys | undefined;

  private constructor(file: string, known: FolderKeys | undefined) {
    this.#file = file;
    this.#known = known;
  }

  static async of(folder: string): Promise<PulledTrust> {
    const file = join(folder, 'signing-keys.json');
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return new PulledTrust(file, text === undefined ? undefined : (JSON.parse(text) as FolderKeys));
  }

  /**
   * @param manifest its bytes, as they came
   * @throws {ApiError} ARTIFACT_SIGNATURE_INVALID, or ARTIFACT_DAMAGED when the graph is not the manifest's
   */
  check(
    name: { model: string; version: string },
    link: ArtifactLink,
    manifest: Uint8Array,
    graph: Uint8Array,
  ) {
    const { signature } = link;
    const named = `version ${name.version} of model ${name.model}`;
    if (signature === undefined) {
      if (this.#known === undefined) return;
      throw refused(`${named} carries no signature, and models of this folder do; deploy a newer version`);
    }
    this.#requireKnown(signature);
    const statement = {
      ...{ tenantId: signature.tenant, modelName: name.model, buildId: signature.build_id },
      manifestSha256: createHash('sha256').update(manifest).digest('hex'),
    };
    const der = Buffer.from(signature.public_key, 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (!isSigned(statement, key, signature.signature))
      throw refused(`the signature of ${named} is not one of the manifest that came; pull it again`);
    const { artifact } = JSON.parse(Buffer.from(manifest).toString('utf8')) as ModelManifest;
    if (createHash('sha256').update(graph).digest('hex') !== artifact.sha256)
      throw new ApiError(500, 'ARTIFACT_DAMAGED', `the graph of ${named} is not the one in its manifest`);
  }

  /** Keeps whose key it was, when it was the first. */
  async keep({ signature }: ArtifactLink): Promise<void> {
    if (signature === undefined || this.#known !== undefined) return;
    const { tenant, key_id, public_key } = signature;
    const written = `${this.#file}.${randomBytes(6).toString('hex')}`;
    await mkdir(join(this.#file, '..'), { recursive: true });
    await writeFile(written, JSON.stringify({ tenant, keys: { [key_id]: public_key } } satisfies FolderKeys));
    await rename(written, this.#file);
  }

  #requireKnown({ tenant, key_id, public_key }: Signature): void {
    if (this.#known === undefined) return;
    const { tenant: owner, keys } = this.#known;
    if (tenant !== owner)
      throw refused(`${this.#file} is of tenant ${owner}; pull models of ${tenant} elsewhere`);
    if (!Object.hasOwn(keys, key_id) || keys[key_id] !== public_key)
      throw refused(
        `the key ${key_id} is not the one of the first pull; if the deployment has changed its key, remove ${this.#file} and pull again`,
      );
  }
}
