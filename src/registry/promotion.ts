import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ModelName } from '../contracts/names.ts';
import type { PromotionRequest, PromotionResult } from '../contracts/registry.ts';
import type { ServingConfigurationRequest } from '../contracts/serving.ts';
import type { ManifestSignatures } from '../serving/manifest-signatures.ts';
import { ArtifactRefusedError } from '../serving/served-model.ts';
import type {
  ServingPointer,
  ServingPointers,
  ServingVariant,
  WithdrawnPointer,
} from '../serving/serving-pointer.ts';
import type { JobOwners, TenantContext } from '../tenancy/tenant-context.ts';
import type { EventPublisher } from './event-publisher.ts';
import {
  type Deployment,
  type DeployOptions,
  type EnvironmentChange,
  EnvironmentEmptyError,
  type Expected,
  type ModelRegistry,
  NothingDeployedError,
  type RollbackOptions,
  type ServingVersion,
  VersionDeployedError,
  VersionNotSignedError,
} from './model-registry.ts';
import { promotionDecision } from './promotion-decision.ts';

/** A change of what is deployed that has begun and may not have ended. */
export interface PromotionIntents extends JobOwners {
  /** @returns the intent's id; every change has an intent of its own */
  open(tenant: TenantContext, model: ModelName): Promise<string>;
  /** Removes this intent; other changes of the model that are still open keep theirs. */
  close(tenant: TenantContext, model: ModelName, intentId: string): Promise<void>;
}

/**
 * Changes what is deployed: an intent, then one transaction in the registry, then the serving pointer under a
 * revision condition, then the intent goes. Whatever fails in between, the intent stays and `repair` ends it.
 */
export class Promotion {
  readonly #registry: ModelRegistry;
  readonly #pointers: ServingPointers;
  readonly #intents: PromotionIntents;
  readonly #events: EventPublisher;
  readonly #signatures: ManifestSignatures | undefined;

  constructor(parts: {
    registry: ModelRegistry;
    pointers: ServingPointers;
    intents: PromotionIntents;
    events: EventPublisher;
    /** By what a version is known to be one that can be loaded. @default - that is found out when it is loaded */
    signatures?: ManifestSignatures;
  }) {
    this.#registry = parts.registry;
    this.#pointers = parts.pointers;
    this.#intents = parts.intents;
    this.#events = parts.events;
    this.#signatures = parts.signatures;
  }

  /**
   * @throws {VersionNotSignedError}
   * @throws what `ModelRegistry.deploy` throws; then nothing has changed
   */
  async deploy(
    tenant: TenantContext,
    model: ModelName,
    version: string,
    options: DeployOptions = {},
  ): Promise<Deployment> {
    // Names that do not exist are refused before anything is written.
    await this.#servable(tenant, model, version);
    return this.#change(
      tenant,
      model,
      () => this.#registry.deploy(tenant, model, version, options),
      (deployment) => deployment,
    );
  }

  /**
   * @throws {VersionNotSignedError}
   * @throws what `ModelRegistry.rollback` throws; then nothing has changed
   */
  async rollback(tenant: TenantContext, model: ModelName, options: RollbackOptions): Promise<Deployment> {
    // Asked for by name it is looked at as it is; else it is what the registry will take, which may be older than the last.
    const target =
      options.toVersion === undefined ? await this.#registry.rollbackTarget(tenant, model) : undefined;
    await this.#servable(tenant, model, options.toVersion ?? target?.version);
    return this.#change(
      tenant,
      model,
      () => this.#registry.rollback(tenant, model, { ifRevision: target?.revision, ...options }),
      (deployment) => deployment,
    );
  }

  /**
   * Has an environment beside production serve a version, or nothing when it is left out.
   * @throws {VersionNotSignedError}
   * @throws what `ModelRegistry.deployTo` throws; then nothing has changed
   */
  async deployTo(
    tenant: TenantContext,
    model: ModelName,
    environment: TrialEnvironment,
    version: string | undefined,
    options: Parameters<ModelRegistry['deployTo']>[4] = {},
  ): Promise<EnvironmentChange> {
    if (version === undefined) await this.#requireServed(tenant, model, environment);
    else await this.#servable(tenant, model, version);
    return this.#change(
      tenant,
      model,
      () => this.#registry.deployTo(tenant, model, environment, version, options),
      ({ deployment }) => deployment,
      { isAnnounced: () => false },
    );
  }

  /**
   * Deploys a version if it beats the champion by the threshold on the same holdout, or when forced.
   * @throws what `deploy` throws, and {UnknownMetricError}
   */
  async promote(
    tenant: TenantContext,
    model: ModelName,
    request: PromotionRequest,
    expected: Expected,
  ): Promise<PromotionResult> {
    const challenger = await this.#registry.version(tenant, model, request.version);
    // Of a model that was never deployed too: of two that come first, one is first.
    const { revision: decidedAt } = await this.#registry.serving(tenant, model);
    const deployed = await this.#registry.deployment(tenant, model);
    const champion =
      deployed?.champion === undefined
        ? undefined
        : await this.#registry.version(tenant, model, deployed.champion.version);
    const { promote, reason } = request.force
      ? { promote: true, reason: `forced${request.reason === '' ? '' : `: ${request.reason}`}` }
      : promotionDecision(challenger, champion, {
          metricName: request.metric_name,
          improvementThreshold: request.improvement_threshold,
        });
    const about = { reason, model_name: model, model_version: challenger.version };
    if (!promote)
      return {
        ...{ decision: 'kept', ...about },
        ...(champion === undefined
          ? {}
          : { champion_version: champion.version, revision: deployed!.revision }),
      };
    const { revision } = await this.deploy(tenant, model, challenger.version, {
      ...{ forced: request.force, reason: request.force ? request.reason : reason, ...expected },
      // What was compared with is what is replaced.
      ifRevision: decidedAt,
    });
    return { decision: 'deployed', ...about, champion_version: challenger.version, revision };
  }

  /** @throws what `ModelRegistry.configure` throws; then nothing has changed */
  async configure(
    tenant: TenantContext,
    model: ModelName,
    request: ServingConfigurationRequest,
  ): Promise<Deployment> {
    // A model or version that does not exist is refused before anything is written.
    const { champion_version } = await this.#registry.serving(tenant, model);
    if (champion_version === undefined) throw new NothingDeployedError(model);
    for (const { version } of [request.canary, request.shadow].filter((one) => one !== undefined))
      await this.#servable(tenant, model, version);
    return this.#change(
      tenant,
      model,
      () => this.#registry.configure(tenant, model, request),
      (deployment) => deployment,
      { isAnnounced: () => false },
    );
  }

  /**
   * Makes a version one that can serve no more; of the champion only when forced, which takes the model out of
   * service. Its bytes and its row may go afterwards.
   * @throws what `ModelRegistry.retire` throws; then nothing has changed
   */
  async retire(tenant: TenantContext, model: ModelName, version: string, options: { force: boolean }) {
    const { champion, version: name } = await this.#registry.version(tenant, model, version);
    if (champion && !options.force) throw new VersionDeployedError(model, name);
    return this.#change(
      tenant,
      model,
      () => this.#registry.retire(tenant, model, version, options),
      (retired) => retired.deployment,
      { isAnnounced: ({ wasChampion }) => wasChampion },
    );
  }

  /**
   * Makes the pointer what the registry says, and with that ends what an intent began.
   * @param isOver - whether the change can be under way no more: else its intent stays, for what it may still leave undone
   */
  async repair(
    tenant: TenantContext,
    model: ModelName,
    intentId: string,
    { isOver }: { readonly isOver: boolean },
  ): Promise<void> {
    const deployment = await this.#registry.deployment(tenant, model);
    if (deployment !== undefined) await this.#project(tenant, deployment);
    if (isOver) await this.#intents.close(tenant, model, intentId);
  }

  async #requireServed(tenant: TenantContext, model: ModelName, environment: TrialEnvironment) {
    const all = await this.#registry.environments(tenant, model);
    if (all.every((one) => one.environment !== environment || one.model_version === undefined))
      throw new EnvironmentEmptyError(model, environment);
  }

  /** What would be refused where it is served must not take the place of what is served. */
  async #servable(tenant: TenantContext, model: ModelName, name: string | undefined): Promise<void> {
    const found = await this.#registry.version(tenant, model, name);
    // What was taken in without its bytes is not verified, which the registry says better.
    if (found.manifestKey === '') return;
    try {
      const check = await this.#signatures?.checkOf(tenant.tenantId, model, variantOf(found));
      check?.(found.manifest);
    } catch (error) {
      throw error instanceof ArtifactRefusedError ? new VersionNotSignedError(error) : error;
    }
  }

  async #change<Result>(
    tenant: TenantContext,
    model: ModelName,
    transaction: () => Promise<Result>,
    deploymentOf: (result: Result) => Deployment | undefined,
    /** Events are of what production serves. */
    { isAnnounced }: { readonly isAnnounced: (result: Result) => boolean } = { isAnnounced: () => true },
  ): Promise<Result> {
    const intentId = await this.#intents.open(tenant, model);
    const result = await transaction();
    const deployment = deploymentOf(result);
    if (deployment !== undefined) {
      await this.#project(tenant, deployment);
    }
    if (deployment !== undefined && isAnnounced(result)) {
      await this.#events.publish(tenant, {
        type: deployment.champion === undefined ? 'ml.model.withdrawn' : 'ml.model.promoted',
        subject: model,
        data: {
          model_name: model,
          model_version: deployment.champion?.version,
          previous_version: deployment.previousVersion,
          revision: deployment.revision,
        },
      });
    }
    await this.#intents.close(tenant, model, intentId);
    return result;
  }

  async #project(
    tenant: TenantContext,
    { modelName, revision, champion, traffic }: Deployment,
  ): Promise<void> {
    const { canary, shadow } = traffic;
    const settings = Object.keys(traffic.settings).length === 0 ? {} : { settings: traffic.settings };
    const about = { model_name: modelName, revision };
    const pointers: (ServingPointer | WithdrawnPointer)[] = [
      champion === undefined
        ? { ...about, withdrawn: true }
        : {
            ...{ ...about, ...variantOf(champion), ...settings },
            ...(canary === undefined ? {} : { canary: { ...variantOf(canary), weight: canary.weight } }),
            ...(shadow === undefined ? {} : { shadow: variantOf(shadow) }),
          },
      ...traffic.environments.map(({ environment, version }) =>
        version === undefined
          ? { ...about, environment, withdrawn: true as const }
          : { ...about, environment, ...variantOf(version), ...settings },
      ),
    ];
    await Promise.all(pointers.map((pointer) => this.#pointers.write(tenant, pointer)));
  }
}

const variantOf = (version: ServingVersion): ServingVariant => ({
  version: version.version,
  artifact_key: version.artifactKey,
  artifact_sha256: version.artifactSha256,
  artifact_bytes: version.artifactBytes,
  manifest_key: version.manifestKey,
  manifest_sha256: version.manifestSha256,
  ...(version.signature === undefined ? {} : { signature: version.signature }),
  ...(version.origin === 'imported' ? { origin: 'imported' } : {}),
});
