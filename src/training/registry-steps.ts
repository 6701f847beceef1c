import type { ModelManifest } from '../contracts/models.ts';
import { MLFrameworkError } from '../errors.ts';
import { metricTable } from '../ml/metrics/metric-table.ts';
import type { EventPublisher } from '../registry/event-publisher.ts';
import type { ModelRegistry } from '../registry/model-registry.ts';
import type { Promotion } from '../registry/promotion.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { StoredJob } from './job-store.ts';
import type { RegistryStepName, StepState } from './steps/step.ts';

/** The build that the export step wrote is not there as it was written. */
export class BuildMissingError extends MLFrameworkError {
  constructor(buildId: string) {
    super('BUILD_MISSING', `build ${buildId} is gone or changed since it was exported; train again`);
  }
}

export interface RegistryStepContext {
  readonly tenant: TenantContext;
  readonly job: StoredJob & { readonly request: NonNullable<StoredJob['request']> };
  readonly registry: ModelRegistry;
  readonly artifacts: ArtifactStore;
  readonly promotion: Promotion;
  readonly events: EventPublisher;
}

/** The metric that decides for a task, and by how much a challenger has to be better. */
const decidingMetric = { classification: 'f1_score', regression: 'r2' } as const;
const improvementThreshold = 0.01;
/** Differences of floats are compared with this much grace, so that +0.010 counts as 0.01. */
const grace = 1e-9;

export const registrySteps: Readonly<
  Record<RegistryStepName, (context: RegistryStepContext, state: StepState) => Promise<StepState>>
> = {
  async register({ tenant, job, registry, artifacts, events }, state) {
    const build = await artifacts.manifest(tenant, job.request.model_name, state.build_id!);
    if (build === undefined || build.manifestSha256 !== state.manifest_sha256)
      throw new BuildMissingError(state.build_id!);
    const { version, metrics } = await registry.register(tenant, build);
    await events.publish(tenant, {
      type: 'ml.model.registered',
      subject: job.request.model_name,
      data: { model_name: job.request.model_name, model_version: version, job_id: job.job_id },
    });
    return { ...state, model_version: version, metrics };
  },

  async 'promotion-gate'({ tenant, job, registry }, state) {
    if (!job.request.auto_promote) return { ...state, decision: 'keep', reasons: ['auto_promote is off'] };
    const challenger = await registry.version(tenant, job.request.model_name, state.model_version!);
    const deployed = await registry.deployment(tenant, job.request.model_name);
    if (deployed === undefined) return { ...state, decision: 'deploy', reasons: ['nothing is deployed yet'] };
    if (deployed.champion === undefined) {
      const reason = `the model was taken out of service (revision ${deployed.revision}); deploy a version by hand to bring it back`;
      return { ...state, decision: 'keep', reasons: [reason] };
    }
    const champion = await registry.version(tenant, job.request.model_name, deployed.champion.version);
    return { ...state, ...gate(challenger.manifest, champion.manifest, champion.version) };
  },

  async deploy({ tenant, job, promotion }, state) {
    await promotion.deploy(tenant, job.request.model_name, state.model_version!);
    return state;
  },
};

/** @returns whether the challenger beats the champion on the same holdout, and why or why not */
export function gate(
  challenger: ModelManifest,
  champion: ModelManifest,
  championVersion: string,
): { decision: 'deploy' | 'keep'; reasons: string[] } {
  if (champion.origin === 'imported') {
    return {
      decision: 'keep',
      reasons: [
        `champion ${championVersion} was imported, and what was imported has no metrics to compare; deploy by hand if this version is better`,
      ],
    };
  }
  const holdout = ({ dataset_id, target, task, split }: ModelManifest) =>
    JSON.stringify([dataset_id, target, task, split?.kind, split?.test_size, split?.random_state]);
  if (holdout(challenger) !== holdout(champion)) {
    return {
      decision: 'keep',
      reasons: [
        `champion ${championVersion} was measured on another holdout; deploy by hand if this version is better`,
      ],
    };
  }
  const metric = decidingMetric[challenger.task];
  const ours = challenger.metrics[metric];
  const theirs = champion.metrics[metric];
  if (ours === undefined || theirs === undefined)
    return { decision: 'keep', reasons: [`${metric} was not measured`] };
  const sign = metricTable[metric]!.direction === 'higher' ? 1 : -1;
  const improvement = sign * (ours - theirs);
  const facts = `${metric} ${ours.toFixed(6)} against ${theirs.toFixed(6)} of champion ${championVersion}`;
  return improvement >= improvementThreshold - grace
    ? { decision: 'deploy', reasons: [`${facts}: better by at least ${improvementThreshold}`] }
    : { decision: 'keep', reasons: [`${facts}: not better by at least ${improvementThreshold}`] };
}
