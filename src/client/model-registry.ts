import type { z } from 'zod';
import type { MLModelMetadata, ModelDeleted, ModelStage, ModelVersion } from '../contracts/models.ts';
import type {
  ArchivedVersions,
  CreateModelVersionRequest,
  Lineage,
  ModelAlias,
  ModelCard,
  PromotionResult,
  RegistryExport,
  RegistryImportResult,
  StageTransition,
  VersionComparison,
  VersionUpdate,
} from '../contracts/registry.ts';
import { allPages } from './all-pages.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { given } from './given.ts';

interface OfModel {
  readonly modelName: string;
}
interface OfVersion extends OfModel {
  /** Any name of it: semver, MLflow's integer, build id, sha256, an alias or an environment. */
  readonly version: string;
}

const namesOf = ({ modelName, version }: OfVersion) => ({
  model_name: modelNameOf(modelName),
  model_version: version,
});
const nameOf = ({ modelName }: OfModel) => ({ model_name: modelNameOf(modelName) });

/**
 * Versions of the platform's models: stages, aliases, lineage, cards, comparison, promotion, export. Every method that
 * names a model throws `ModelNotFoundError` when there is none, and `ApiError` for what the platform refuses.
 */
export class ModelRegistry {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  get #client() {
    return this.#connection.client;
  }

  /** @returns all versions, newest first */
  listVersions({ stage, ...model }: OfModel & { readonly stage?: ModelStage }): Promise<ModelVersion[]> {
    const params = nameOf(model);
    return allPages<ModelVersion>((cursor) =>
      this.#client.call('listVersions', { params, query: { limit: 100, ...given({ stage, cursor }) } }),
    );
  }

  /** @returns all that is known of a version */
  async getVersion(version: OfVersion): Promise<MLModelMetadata> {
    return this.#client.call('getVersion', { params: namesOf(version) });
  }

  /**
   * Makes a version of the bytes of another, of which more or something else is said.
   * @param versionString semver above the newest. Defaults to the next patch
   */
  async createVersion({
    modelName,
    fromVersion,
    versionString,
    ...said
  }: OfModel & {
    readonly fromVersion: string;
    readonly versionString?: string;
  } & Pick<CreateModelVersionRequest, 'description' | 'notes' | 'tags' | 'metrics'>): Promise<ModelVersion> {
    return this.#client.call('createModelVersion', {
      params: nameOf({ modelName }),
      body: { from_version: fromVersion, ...given({ version_string: versionString }), ...given(said) },
    });
  }

  /** Changes description, notes and tags of a version; a tag of null goes. */
  async updateVersion({
    metadata,
    ...version
  }: OfVersion & { readonly metadata: VersionUpdate }): Promise<ModelVersion> {
    return this.#client.call('updateVersion', { params: namesOf(version), body: metadata });
  }

  /** Deletes a version, its bytes included. @param force also the one that serves */
  async deleteVersion({
    force = false,
    ...version
  }: OfVersion & { readonly force?: boolean }): Promise<z.output<typeof ModelDeleted>> {
    const query = { force: force ? 'true' : 'false' } as const;
    return this.#client.call('deleteModelVersion', { params: namesOf(version), query });
  }

  /**
   * Moves a version to another stage; to Production is to deploy it.
   * @param force takes a step that the state machine has not; it is recorded
   * @throws {ApiError} STAGE_TRANSITION_REFUSED
   */
  async transitionModelStage({
    stage,
    force = false,
    reason = '',
    ...version
  }: OfVersion & {
    readonly stage: ModelStage;
    readonly force?: boolean;
    readonly reason?: string;
  }): Promise<ModelVersion> {
    return this.#client.call('transitionStage', { params: namesOf(version), body: { stage, force, reason } });
  }

  /** @returns the stages that a version has been in, oldest first */
  async stageHistory(version: OfVersion): Promise<StageTransition[]> {
    return (await this.#client.call('listStageTransitions', { params: namesOf(version) })).items;
  }

  /** @returns `champion`, and the aliases that were set */
  async listAliases(model: OfModel): Promise<ModelAlias[]> {
    return (await this.#client.call('listAliases', { params: nameOf(model) })).items;
  }

  /** Lets a name stand for a version. */
  async setAlias({ alias, version, ...model }: OfVersion & { readonly alias: string }): Promise<ModelAlias> {
    return this.#client.call('setAlias', { params: { ...nameOf(model), alias }, body: { version } });
  }

  /** @returns the aliases that are left */
  async removeAlias({ alias, ...model }: OfModel & { readonly alias: string }): Promise<ModelAlias[]> {
    return (await this.#client.call('removeAlias', { params: { ...nameOf(model), alias } })).items;
  }

  /** @returns where versions came from and went: dataset → run → version → deployment */
  async getLineage({ version, ...model }: OfModel & { readonly version?: string }): Promise<Lineage> {
    return this.#client.call('getLineage', { params: nameOf(model), query: given({ version }) });
  }

  /** @returns data, metrics, intended use and limits of a version */
  async getModelCard(version: OfVersion): Promise<ModelCard> {
    return this.#client.call('getModelCard', { params: namesOf(version), query: {} });
  }

  /** @returns the card as a page, in Markdown */
  async getModelCardMarkdown(version: OfVersion): Promise<string> {
    return this.#client.text('getModelCard', { params: namesOf(version), query: { format: 'markdown' } });
  }

  /** @returns what differs, and whether `b` is better than `a` by the threshold */
  async compareVersions({
    a,
    b,
    metricName,
    improvementThreshold,
    ...model
  }: OfModel & {
    readonly a: string;
    readonly b: string;
    readonly metricName?: string;
    readonly improvementThreshold?: number;
  }): Promise<VersionComparison> {
    const query = {
      a,
      b,
      ...given({ metric_name: metricName, improvement_threshold: improvementThreshold }),
    };
    return this.#client.call('compareVersions', { params: nameOf(model), query });
  }

  /** Deploys a version if it beats the one that serves on the same holdout. @param force skips the comparison */
  async promote({
    version,
    metricName,
    improvementThreshold,
    force,
    reason,
    ...model
  }: OfVersion & {
    readonly metricName?: string;
    readonly improvementThreshold?: number;
    readonly force?: boolean;
    readonly reason?: string;
  }): Promise<PromotionResult> {
    const gate = { metric_name: metricName, improvement_threshold: improvementThreshold, force, reason };
    return this.#client.call('promote', { params: nameOf(model), body: { version, ...given(gate) } });
  }

  /** Archives all but the newest; never what serves or has an alias. */
  async archiveOldVersions({
    keepLatest = 5,
    ...model
  }: OfModel & { readonly keepLatest?: number }): Promise<ArchivedVersions> {
    return this.#client.call('archiveOldVersions', {
      params: nameOf(model),
      body: { keep_latest: keepLatest },
    });
  }

  /** @returns the registry as one document: everything but bytes */
  async exportRegistry(): Promise<RegistryExport> {
    const pages: RegistryExport[] = [];
    let cursor: string | undefined;
    do {
      const page: RegistryExport = await this.#client.call('exportRegistry', { query: given({ cursor }) });
      pages.push(page);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    const { next_cursor: _last, ...first } = pages[0]!;
    return { ...first, models: pages.flatMap(({ models }) => models) };
  }

  /** Takes in what an export holds; what is there already stays as it is, and nothing is deployed. */
  async importRegistry(document: z.input<typeof RegistryExport>): Promise<RegistryImportResult> {
    return this.#client.call('importRegistry', { body: document });
  }
}
