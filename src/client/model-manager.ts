import type { z } from 'zod';
import type { ModelDetail, ModelSummary, ModelVersion, WholeModelDeleted } from '../contracts/models.ts';
import type { ModelUpdate } from '../contracts/registry.ts';
import { ValidationError } from '../errors.ts';
import { allPages } from './all-pages.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { given } from './given.ts';

interface OfTenant {
  /** The tenant that is meant; another than the token's is refused. */
  readonly tenantId?: string;
}
interface OfModel extends OfTenant {
  readonly modelId: string;
}

/** Which models are listed; what is left out does not matter. */
export interface ListModelsOptions extends OfTenant {
  /** A part of the name, in any case. */
  readonly search?: string;
  /** Has a version in this stage. */
  readonly stage?: ModelVersion['stage'];
  readonly task?: NonNullable<ModelSummary['task']>;
  readonly algorithm?: NonNullable<ModelSummary['algorithm']>;
  readonly framework?: NonNullable<ModelSummary['framework']>;
  /** `name` or `name=value`. */
  readonly tag?: string;
  /** Those that were put away. @default false */
  readonly archived?: boolean;
}

/** The life of models: what there is, what is said of it, putting away, deleting. Versions are `ModelRegistry`'s. */
export class ModelManager {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /** @returns the model with its newest versions @throws {ModelNotFoundError} @throws {ApiError} */
  async getModelInfo(model: string | OfModel): Promise<ModelDetail> {
    const { modelId, tenantId } = typeof model === 'string' ? { modelId: model } : (model as OfModel);
    const params = await this.#named(modelId, tenantId);
    return this.#connection.client.call('getModel', { params });
  }

  /** @returns all models, by name @throws {ApiError} */
  async listModels({
    tenantId,
    archived = false,
    ...filter
  }: ListModelsOptions = {}): Promise<ModelSummary[]> {
    await this.#connection.requireTenant(tenantId);
    const query = { ...given(filter), limit: 100, archived: archived ? 'true' : 'false' } as const;
    return allPages<ModelSummary>((cursor) =>
      this.#connection.client.call('listModels', { query: { ...query, ...given({ cursor }) } }),
    );
  }

  /**
   * Changes description, notes and tags; what is left out stays, a tag of null goes.
   * @returns the model as it is then
   * @throws {ModelNotFoundError}
   * @throws {ApiError} VALIDATION_FAILED for metadata of other names: those are tags
   */
  updateModel(modelId: string, metadata: z.input<typeof ModelUpdate>): Promise<ModelDetail>;
  updateModel(options: OfModel & { readonly metadata: z.input<typeof ModelUpdate> }): Promise<ModelDetail>;
  async updateModel(
    model: string | (OfModel & { readonly metadata: z.input<typeof ModelUpdate> }),
    changes?: z.input<typeof ModelUpdate>,
  ): Promise<ModelDetail> {
    const { modelId, metadata, tenantId } =
      typeof model === 'string' ? { modelId: model, metadata: changes, tenantId: undefined } : model;
    if (metadata === undefined)
      throw new ValidationError('metadata is missing: give description, notes or tags', {
        errors: [{ pointer: '/metadata', detail: 'required' }],
      });
    const params = await this.#named(modelId, tenantId);
    return this.#connection.client.call('updateModel', { params, body: metadata });
  }

  /**
   * Puts away, and deletes nothing: one version, which gets the stage Archived, or without a version the whole model,
   * which leaves the lists. What serves cannot be put away.
   * @throws {ModelNotFoundError}
   * @throws {ApiError} STAGE_TRANSITION_REFUSED, MODEL_DEPLOYED and the like
   */
  archiveModel(modelId: string, version?: string): Promise<ModelDetail>;
  archiveModel(options: OfModel & { readonly version?: string }): Promise<ModelDetail>;
  async archiveModel(
    model: string | (OfModel & { readonly version?: string }),
    versionName?: string,
  ): Promise<ModelDetail> {
    const { modelId, version, tenantId } =
      typeof model === 'string' ? { modelId: model, version: versionName, tenantId: undefined } : model;
    const params = await this.#named(modelId, tenantId);
    const { client } = this.#connection;
    if (version === undefined) return client.call('updateModel', { params, body: { archived: true } });
    await client.call('transitionStage', {
      params: { ...params, model_version: version },
      body: { stage: 'Archived' },
    });
    return client.call('getModel', { params });
  }

  /**
   * Deletes a model with every version, their bytes included.
   * @param force also one that serves, which is then out of service
   * @throws {ModelNotFoundError}
   * @throws {ApiError} MODEL_DEPLOYED without force
   */
  async deleteModel(
    model: string | (OfModel & { readonly force?: boolean }),
  ): Promise<z.output<typeof WholeModelDeleted>> {
    const {
      modelId,
      tenantId,
      force = false,
    } = typeof model === 'string' ? { modelId: model } : (model as OfModel & { force?: boolean });
    const params = await this.#named(modelId, tenantId);
    return this.#connection.client.call('deleteModel', {
      params,
      query: { force: force ? 'true' : 'false' },
    });
  }

  async #named(modelId: string, tenantId: string | undefined) {
    const params = { model_name: modelNameOf(modelId) };
    await this.#connection.requireTenant(tenantId);
    return params;
  }
}
