import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { artifactStore } from '../../src/composition/artifacts.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';
import { newManifestSignatures } from '../../src/composition/signatures.ts';
import { feedbackStore, jobStore } from '../../src/composition/stores.ts';
import { beginImportStep, type ImportStepEvent } from '../../src/imports/begin-import-step.ts';
import { importRegistrySteps } from '../../src/imports/registry-steps.ts';
import type { BatchStepEvent } from '../../src/serving/batch/batch-step.ts';
import { resolveVersion } from '../../src/serving/batch/resolve-version.ts';
import { beginStep } from '../../src/training/begin-step.ts';
import { registrySteps } from '../../src/training/registry-steps.ts';
import type { RegistryStepName, StepEvent } from '../../src/training/steps/step.ts';

const plane = controlPlane();
const artifacts = artifactStore();
const signatures = newManifestSignatures();

const isOfImport = (event: RegistrarEvent): event is ImportStepEvent<'register-import' | 'deploy-import'> =>
  event.step in importRegistrySteps;

type RegistrarEvent =
  | StepEvent<RegistryStepName>
  | BatchStepEvent<'resolve-version'>
  | ImportStepEvent<'register-import' | 'deploy-import'>;

export const handler = stepFunction<RegistrarEvent, unknown>(async (event, context) => {
  if (event.step === 'resolve-version') {
    const parts = { jobs: jobStore(), registry: plane.registry, clock: systemClock };
    return resolveVersion(event, parts, context.awsRequestId);
  }
  if (isOfImport(event)) {
    const parts = { jobs: jobStore(), clock: systemClock };
    const begun = await beginImportStep(parts, event, context.awsRequestId);
    return importRegistrySteps[event.step]({ ...begun, artifacts, signatures, ...plane }, event.input);
  }
  const { tenant, job } = await beginStep(jobStore(), systemClock, event, context.awsRequestId);
  return registrySteps[event.step](
    { tenant, job, artifacts, signatures, feedback: feedbackStore(), ...plane },
    event.input,
  );
});
