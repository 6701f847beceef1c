import { dailyPerformance } from '../monitoring/daily-performance.ts';
import type { FeedbackStore } from '../monitoring/feedback.ts';
import type { EventPublisher } from '../registry/event-publisher.ts';
import { type ModelRegistry, PreconditionFailedError } from '../registry/model-registry.ts';
import type { Projections } from '../registry/projections.ts';
import type { Promotion } from '../registry/promotion.ts';
import { promotionDecision } from '../registry/promotion-decision.ts';
import type { ManifestSignatures } from '../serving/manifest-signatures.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { StoredJob } from './job-store.ts';
import type { RegistryStepName, StepState } from './steps/step.ts';
import { verifiedBuild } from './verified-build.ts';

export interface RegistryStepContext {
  readonly tenant: TenantContext;
  readonly job: StoredJob & { readonly request: NonNullable<StoredJob['request']> };
  readonly registry: ModelRegistry;
  readonly artifacts: ArtifactStore;
  readonly signatures: ManifestSignatures;
  readonly promotion: Promotion;
  readonly events: EventPublisher;
  readonly projections: Projections;
  readonly feedback: Pick<FeedbackStore, 'since'>;
}

/** Of the version that serves, as far back as a window of performance reaches, and as much as it reads. */
const watchedDays = 90;
const maxWatched = 10_000;

/** The registry's database is awake: what is known of the version that serves goes there too. */
async function projectWatched({ tenant, job, registry, projections, feedback }: RegistryStepContext) {
  const modelName = job.request.model_name;
  const champion = (await registry.deployment(tenant, modelName))?.champion;
  if (champion === undefined) return;
  const dayMs = 24 * 60 * 60 * 1000;
  const from = new Date(Date.parse(job.created_at) - watchedDays * dayMs).toISOString().slice(0, 10);
  const of = { model: modelName, version: champion.version };
  const seen = await feedback.since(tenant, of, { from, limit: maxWatched });
  const days = dailyPerformance(champion.task, seen);
  // Of the first day only a part was read.
  if (seen.length === maxWatched) days.shift();
  await projections.watched(tenant, { modelName, modelVersion: champion.version }, { feedback: seen, days });
}

/** Each time another change of the model came between. */
const maxAttempts = 5;

export const registrySteps: Readonly<
  Record<RegistryStepName, (context: RegistryStepContext, state: StepState) => Promise<StepState>>
> = {
  async register(context, state) {
    const { tenant, job, registry, artifacts, signatures, events, projections } = context;
    const build = await verifiedBuild({ artifacts, signatures }, tenant, job.request.model_name, state);
    const { version, metrics } = await registry.register(tenant, build);
    await projections.trained(tenant, {
      ...{ jobId: job.job_id, modelName: job.request.model_name, modelVersion: version, metrics },
      ...{ trigger: job.trigger, datasetId: job.dataset_id, actor: job.actor, startedAt: job.created_at },
    });
    await projectWatched(context);
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
    if (deployed === undefined || (deployed.champion === undefined && !deployed.isWithdrawn))
      return { ...state, decision: 'deploy', reasons: ['nothing is deployed yet'] };
    if (deployed.champion === undefined) {
      const reason = `the model was taken out of service (revision ${deployed.revision}); deploy a version by hand to bring it back`;
      return { ...state, decision: 'keep', reasons: [reason] };
    }
    const champion = await registry.version(tenant, job.request.model_name, deployed.champion.version);
    const { promote, reason } = promotionDecision(challenger, champion);
    return { ...state, decision: promote ? 'deploy' : 'keep', reasons: [reason] };
  },

  async deploy(context, state) {
    const { tenant, job, promotion, registry } = context;
    const { model_name } = job.request;
    for (let attempt = 1; ; attempt++) {
      // Somebody may have deployed since the gate was passed: what is replaced is what was compared with.
      const { revision, champion_version } = await registry.serving(tenant, model_name);
      // Run again, this step finds its own version: it may not have come to what serves.
      const isAgain = champion_version === state.model_version;
      const decided = isAgain ? state : await registrySteps['promotion-gate'](context, state);
      if (decided.decision !== 'deploy') return decided;
      try {
        await promotion.deploy(tenant, model_name, state.model_version!, { ifRevision: revision });
        return decided;
      } catch (error) {
        if (!(error instanceof PreconditionFailedError) || attempt === maxAttempts) throw error;
      }
    }
  },
};
