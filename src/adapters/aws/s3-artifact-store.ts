import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '../../clock.ts';
import { ModelManifest } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import { objectKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ArtifactStore, StoredArtifact } from '../../training/artifact-store.ts';
import { type S3Objects, sha256Hex } from './s3-objects.ts';

const linkSeconds = 15 * 60;

export class S3ArtifactStore implements ArtifactStore {
  readonly #objects: S3Objects;
  readonly #clock: Clock;

  constructor(objects: S3Objects, clock: Clock) {
    this.#objects = objects;
    this.#clock = clock;
  }

  async put(
    tenant: TenantContext,
    manifest: ModelManifest,
    graph: Uint8Array,
    explainer?: Uint8Array,
  ): Promise<StoredArtifact> {
    const { explainerKey, ...at } = keysOf(tenant, manifest.model_name, manifest.build_id);
    await this.#objects.putBytes(at.artifactKey, graph);
    if (explainer !== undefined) await this.#objects.putBytes(explainerKey, explainer, 'application/gzip');
    const text = JSON.stringify(manifest);
    await this.#objects.putBytes(at.manifestKey, text, 'application/json');
    return { ...at, manifestSha256: sha256Hex(text) };
  }

  async manifest(tenant: TenantContext, model: ModelName, buildId: string) {
    const { explainerKey: _, ...at } = keysOf(tenant, model, buildId);
    const bytes = await this.#objects.getBytes(at.manifestKey);
    if (bytes === undefined) return undefined;
    const manifest = ModelManifest.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return { ...at, manifestSha256: sha256Hex(bytes), manifest };
  }

  async link(tenant: TenantContext, model: ModelName, buildId: string) {
    const url = await getSignedUrl(
      this.#objects.client,
      new GetObjectCommand({
        Bucket: this.#objects.bucket,
        Key: keysOf(tenant, model, buildId).artifactKey,
        ResponseContentDisposition: `attachment; filename="${model}.onnx"`,
      }),
      { expiresIn: linkSeconds },
    );
    return { url, expiresAtMs: this.#clock.nowMs() + linkSeconds * 1000 };
  }

  async remove(tenant: TenantContext, model: ModelName, buildId: string): Promise<void> {
    const { artifactKey, manifestKey, explainerKey } = keysOf(tenant, model, buildId);
    // The manifest goes first: without it the build does not exist.
    for (const Key of [manifestKey, artifactKey, explainerKey]) {
      await this.#objects.client.send(new DeleteObjectCommand({ Bucket: this.#objects.bucket, Key }));
    }
  }
}

const keysOf = (tenant: TenantContext, model: ModelName, buildId: string) => ({
  artifactKey: objectKeys.modelFile(tenant, model, buildId, 'model.onnx'),
  manifestKey: objectKeys.modelFile(tenant, model, buildId, 'manifest.json'),
  explainerKey: objectKeys.modelFile(tenant, model, buildId, 'explainer.json.gz'),
});
