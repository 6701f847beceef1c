import type { Environment, TrialEnvironment } from '../contracts/environment-names.ts';
import type { EnvironmentDeployment, ModelEnvironment } from '../contracts/environments.ts';
import type { ModelDeploymentResponse } from '../contracts/models.ts';
import type { ModelDeployment as DeploymentRecord, PromotionResult } from '../contracts/registry.ts';
import { ValidationError } from '../errors.ts';
import { allPages } from './all-pages.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { given } from './given.ts';

export interface DeployOptions {
  /** @default 'production' */
  readonly environment?: Environment;
  /** Kept in the history; for development and staging. */
  readonly reason?: string;
  /** To staging, also what has failed; it is recorded. @default false */
  readonly force?: boolean;
}

/** What serves where: development and staging to try a version, production for predictions that name no environment. */
export class ModelDeployment {
  readonly #connection: Connection;

  constructor(connection: ConnectionOptions | Connection = {}) {
    this.#connection = Connection.of(connection);
  }

  /**
   * Lets a version answer the predictions of an environment, within 5 seconds. On its way to production it passes Staging
   * by itself.
   * @param version any name of it: `1.2.0`, or `staging` for what staging serves
   * @throws {ValidationError} when reason or force is given for production, which has other operations for them
   * @throws {ModelNotFoundError}
   * @throws {ApiError} VERSION_NOT_FOUND, VERSION_NOT_VERIFIED, STAGE_TRANSITION_REFUSED and the like
   */
  async deploy(
    modelName: string,
    version: string,
    { environment = 'production', reason, force }: DeployOptions = {},
  ): Promise<EnvironmentDeployment | ModelDeploymentResponse> {
    const params = { model_name: modelNameOf(modelName) };
    const { client } = this.#connection;
    if (environment !== 'production')
      return client.call('putEnvironment', {
        params: { ...params, environment },
        body: { version, ...given({ reason, force }) },
      });
    if (reason !== undefined || force !== undefined)
      throw new ValidationError(
        'reason and force go with environment development or staging; ModelRegistry.promote and transitionModelStage take them for production',
      );
    return client.call('deployModel', { params: { ...params, model_version: version } });
  }

  /** Takes a version out of development or staging; production is taken out of service by deleting with force. */
  async withdraw(modelName: string, environment: TrialEnvironment): Promise<EnvironmentDeployment> {
    const params = { model_name: modelNameOf(modelName), environment };
    return this.#connection.client.call('deleteEnvironment', { params });
  }

  /**
   * Brings the version back that served production before, or another one that has served.
   * @throws {ApiError} NOTHING_TO_ROLL_BACK_TO
   */
  async rollback(
    modelName: string,
    { toVersion, reason }: { readonly toVersion?: string; readonly reason?: string } = {},
  ): Promise<PromotionResult> {
    const params = { model_name: modelNameOf(modelName) };
    return this.#connection.client.call('rollback', {
      params,
      body: given({ to_version: toVersion, reason }),
    });
  }

  /** @returns what was deployed, newest first: everywhere, or in one environment */
  history(
    modelName: string,
    { environment }: { readonly environment?: Environment } = {},
  ): Promise<DeploymentRecord[]> {
    const params = { model_name: modelNameOf(modelName) };
    return allPages<DeploymentRecord>((cursor) => {
      const query = { limit: 100, ...given({ environment, cursor }) };
      return this.#connection.client.call('listDeployments', { params, query });
    });
  }

  /** @returns what each environment serves */
  async environments(modelName: string): Promise<ModelEnvironment[]> {
    const params = { model_name: modelNameOf(modelName) };
    return (await this.#connection.client.call('listEnvironments', { params })).items;
  }

  /** @returns the version that serves an environment; `undefined` when none does */
  async activeVersion(
    modelName: string,
    environment: Environment = 'production',
  ): Promise<string | undefined> {
    const all = await this.environments(modelName);
    return all.find((one) => one.environment === environment)?.model_version;
  }
}
