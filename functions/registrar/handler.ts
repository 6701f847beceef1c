import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { artifactStore } from '../../src/composition/artifacts.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';
import { jobStore } from '../../src/composition/stores.ts';
import type { BatchStepEvent } from '../../src/serving/batch/batch-step.ts';
import { resolveVersion } from '../../src/serving/batch/resolve-version.ts';
import { beginStep } from '../../src/training/begin-step.ts';
import { registrySteps } from '../../src/training/registry-steps.ts';
import type { RegistryStepName, StepEvent } from '../../src/training/steps/step.ts';

const plane = controlPlane();
const artifacts = artifactStore();

type RegistrarEvent = StepEvent<RegistryStepName> | BatchStepEvent<'resolve-version'>;

export const handler = stepFunction<RegistrarEvent, unknown>(async (event, context) => {
  if (event.step === 'resolve-version') {
    const parts = { jobs: jobStore(), registry: plane.registry, clock: systemClock };
    return resolveVersion(event, parts, context.awsRequestId);
  }
  const { tenant, job } = await beginStep(jobStore(), systemClock, event, context.awsRequestId);
  return registrySteps[event.step]({ tenant, job, artifacts, ...plane }, event.input);
});
