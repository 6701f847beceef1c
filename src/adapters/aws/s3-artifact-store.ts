import type { Clock } from '../../clock.ts';
import { ManifestSignature, ModelManifest } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ArtifactStore, StoredArtifact } from '../../training/artifact-store.ts';
import type { ManifestSigner } from '../../training/manifest-signer.ts';
import { type S3Objects, sha256Hex } from './s3-objects.ts';

const linkSeconds = 15 * 60;

export class S3ArtifactStore implements ArtifactStore {
  readonly #objects: S3Objects;
  readonly #clock: Clock;
  readonly #signer: ManifestSigner;

  constructor(objects: S3Objects, clock: Clock, signer: ManifestSigner) {
    this.#objects = objects;
    this.#clock = clock;
    this.#signer = signer;
  }

  async put(
    tenant: TenantContext,
    manifest: ModelManifest,
    graph: Uint8Array,
    explainer?: Uint8Array,
  ): Promise<StoredArtifact> {
    const { model_name: modelName, build_id: buildId } = manifest;
    const { explainerKey, signatureKey, ...at } = keysOf(tenant, modelName, buildId);
    const text = JSON.stringify(manifest);
    const manifestSha256 = sha256Hex(text);
    const { tenantId } = tenant;
    const signature = await this.#signer.sign({ tenantId, modelName, buildId, manifestSha256 });
    await this.#objects.putBytes(tenant, at.artifactKey, graph);
    if (explainer !== undefined)
      await this.#objects.putBytes(tenant, explainerKey, explainer, 'application/gzip');
    await this.#objects.putBytes(tenant, signatureKey, JSON.stringify(signature), 'application/json');
    await this.#objects.putBytes(tenant, at.manifestKey, text, 'application/json');
    return { ...at, manifestSha256, signature };
  }

  async manifest(tenant: TenantContext, model: ModelName, buildId: string) {
    const { explainerKey: _, signatureKey, ...at } = keysOf(tenant, model, buildId);
    const [bytes, signed] = await Promise.all([
      this.#objects.getBytes(tenant, at.manifestKey),
      this.#objects.getBytes(tenant, signatureKey),
    ]);
    if (bytes === undefined) return undefined;
    return {
      ...{ ...at, manifestSha256: sha256Hex(bytes), manifest: ModelManifest.parse(jsonOf(bytes)) },
      ...(signed === undefined ? {} : { signature: ManifestSignature.parse(jsonOf(signed)) }),
    };
  }

  async link(tenant: TenantContext, model: ModelName, buildId: string) {
    const { artifactKey, manifestKey } = keysOf(tenant, model, buildId);
    const time = { nowMs: this.#clock.nowMs(), seconds: linkSeconds };
    const linked = (key: string, filename: string) =>
      this.#objects.linkToGet(tenant, key, time, {
        ResponseContentDisposition: `attachment; filename="${filename}"`,
      });
    const { url, expiresAtMs } = await linked(artifactKey, `${model}.onnx`);
    const { url: manifestUrl } = await linked(manifestKey, `${model}.manifest.json`);
    return { url, manifestUrl, expiresAtMs };
  }

  async remove(tenant: TenantContext, model: ModelName, buildId: string): Promise<void> {
    const { artifactKey, manifestKey, signatureKey, explainerKey } = keysOf(tenant, model, buildId);
    // The manifest goes first: without it the build does not exist.
    for (const key of [manifestKey, signatureKey, artifactKey, explainerKey])
      await this.#objects.delete(tenant, key);
  }
}

const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'));

const keysOf = (tenant: TenantContext, model: ModelName, buildId: string) => ({
  artifactKey: objectKeys.modelFile(tenant, model, buildId, 'model.onnx'),
  signatureKey: objectKeys.modelFile(tenant, model, buildId, 'manifest.sig'),
  manifestKey: objectKeys.modelFile(tenant, model, buildId, 'manifest.json'),
  explainerKey: objectKeys.modelFile(tenant, model, buildId, 'explainer.json.gz'),
});
