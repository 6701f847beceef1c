import type {
  ExportedModel,
  ExportedVersion,
  RegistryExport,
  RegistryImportResult,
} from '../contracts/registry.ts';
import { ValidationError } from '../errors.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from '../training/artifact-store.ts';
import type { Registration } from './model-registry.ts';
import { checkMetrics } from './registered-metrics.ts';
import { checkGivenVersion } from './semantic-version.ts';

/** A document that contradicts itself. */
export class RegistryDocumentError extends ValidationError {
  constructor(pointer: string, detail: string) {
    super(`the registry document contradicts itself at ${pointer}: ${detail}`, {
      code: 'REGISTRY_DOCUMENT_INVALID',
      errors: [{ pointer, detail }],
    });
  }
}

/** A version to be taken in, with where its bytes are; without, they are not here. */
export interface ImportedVersion {
  readonly version: ExportedVersion;
  readonly build: Registration | undefined;
}

/** Models and versions as documents. */
export interface RegistryArchive {
  /** By name. */
  export(
    tenant: TenantContext,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ models: readonly ExportedModel[]; nextCursor?: string }>;
  /** Adds a model and those of its versions that are not there, in one transaction. @returns what it added */
  add(
    tenant: TenantContext,
    model: ExportedModel,
    versions: readonly ImportedVersion[],
  ): Promise<{ createdModel: boolean; added: readonly string[]; skipped: readonly string[] }>;
}

/**
 * Takes in what an export holds. Nothing in the document is believed of bytes: a version can be deployed when its build
 * lies under the tenant's own prefix with the very manifest that the document names.
 * @throws {RegistryDocumentError} before anything is written
 */
export async function importRegistry(
  tenant: TenantContext,
  document: RegistryExport,
  { archive, artifacts }: { archive: RegistryArchive; artifacts: Pick<ArtifactStore, 'manifest'> },
): Promise<RegistryImportResult> {
  document.models.forEach(checkModel);
  const result = {
    models_created: 0,
    versions_created: 0,
    versions_skipped: [] as string[],
    versions_without_bytes: [] as string[],
  };
  for (const model of document.models) {
    const versions: ImportedVersion[] = [];
    for (let i = 0; i < model.versions.length; i += buildsAtOnce)
      versions.push(
        ...(await Promise.all(
          model.versions.slice(i, i + buildsAtOnce).map((version) => withBuild(tenant, version, artifacts)),
        )),
      );
    const { createdModel, added, skipped } = await archive.add(tenant, model, versions);
    result.models_created += createdModel ? 1 : 0;
    result.versions_created += added.length;
    result.versions_skipped.push(...skipped.map((version) => `${model.model_name}/${version}`));
    const bare = versions.filter(
      ({ version, build }) => build === undefined && added.includes(version.version),
    );
    result.versions_without_bytes.push(
      ...bare.map(({ version }) => `${model.model_name}/${version.version}`),
    );
  }
  return result;
}

/** Reads of S3, two files each. */
const buildsAtOnce = 16;

async function withBuild(
  tenant: TenantContext,
  version: ExportedVersion,
  artifacts: Pick<ArtifactStore, 'manifest'>,
): Promise<ImportedVersion> {
  const { model_name, build_id } = version.manifest;
  const build = await artifacts.manifest(tenant, model_name, build_id);
  if (build?.manifestSha256 !== version.manifest_sha256) return { version, build: undefined };
  // The manifest that was hashed, not the one that the document says has this hash.
  return { version: { ...version, manifest: build.manifest }, build };
}

/** As builds are named here: never as a number of a version or an alias, and no path. */
const buildIdPattern = /^\d{8}T\d{6}Z(-[0-9a-z]{1,32}){1,2}$/;
const sha256Pattern = /^[0-9a-f]{64}$/;
/** The next ones still fit into an integer of Postgres and a cursor. */
const maxMlflowVersion = 99_999_999;

function checkModel(model: ExportedModel, place: number): void {
  const at = `/models/${place}`;
  const numbers = new Set<string>();
  const mlflow = new Set<number>();
  model.versions.forEach(({ version, manifest, metrics, mlflow_version }, index) => {
    const here = `${at}/versions/${index}`;
    checkGivenVersion(version);
    checkMetrics(metrics);
    if (numbers.has(version) || mlflow.has(mlflow_version))
      throw new RegistryDocumentError(here, `version ${version} is there twice`);
    if (mlflow_version > maxMlflowVersion)
      throw new RegistryDocumentError(here, `mlflow_version must be at most ${maxMlflowVersion}`);
    if (!buildIdPattern.test(manifest.build_id) || !sha256Pattern.test(manifest.artifact.sha256))
      throw new RegistryDocumentError(here, 'its manifest names no build id and sha256 of a build');
    numbers.add(version);
    mlflow.add(mlflow_version);
    if (manifest.model_name !== model.model_name)
      throw new RegistryDocumentError(here, `its manifest is of model ${manifest.model_name}`);
  });
  for (const { alias, version } of model.aliases)
    if (!numbers.has(version))
      throw new RegistryDocumentError(
        `${at}/aliases`,
        `${alias} names version ${version}, which is not there`,
      );
}
