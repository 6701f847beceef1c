import type { EventPublisher } from '../registry/event-publisher.ts';
import type { ModelRegistry } from '../registry/model-registry.ts';
import type { Promotion } from '../registry/promotion.ts';
import type { ManifestSignatures } from '../serving/manifest-signatures.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from '../training/artifact-store.ts';
import { verifiedBuild } from '../training/verified-build.ts';
import type { ImportJob, ImportState } from './begin-import-step.ts';

export interface ImportRegistryContext {
  readonly tenant: TenantContext;
  readonly job: ImportJob;
  readonly registry: ModelRegistry;
  readonly artifacts: ArtifactStore;
  readonly signatures: ManifestSignatures;
  readonly promotion: Promotion;
  readonly events: EventPublisher;
}

export const importRegistrySteps: Readonly<
  Record<
    'register-import' | 'deploy-import',
    (context: ImportRegistryContext, state: ImportState) => Promise<ImportState>
  >
> = {
  async 'register-import'({ tenant, job, registry, artifacts, signatures, events }, state) {
    const { model_name, deploy } = job.import;
    const build = await verifiedBuild({ artifacts, signatures }, tenant, model_name, state);
    const { version } = await registry.register(tenant, build);
    await events.publish(tenant, {
      type: 'ml.model.registered',
      subject: model_name,
      data: { model_name, model_version: version, job_id: job.job_id },
    });
    // There is no holdout that this platform measured it on: nothing but the request can decide.
    const decision = deploy
      ? ({ decision: 'deploy', reasons: ['the import asked for it'] } as const)
      : ({ decision: 'keep', reasons: ['imported versions are deployed when that is asked for'] } as const);
    return { ...state, model_version: version, ...decision };
  },

  async 'deploy-import'({ tenant, job, promotion }, state) {
    await promotion.deploy(tenant, job.import.model_name, state.model_version!);
    return state;
  },
};
