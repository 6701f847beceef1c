import { checkTrainable } from '../../ml/training-checks.ts';
import type { Step } from './step.ts';

/** Checks that the data can be trained on; each rule fails with its own code. */
export const validateStep: Step = async ({ job, table }, state) => {
  const { target, model_type, min_samples, features } = job.request;
  checkTrainable(await table(), {
    target,
    task: model_type!,
    minSamples: min_samples,
    ...(features === undefined ? {} : { features }),
  });
  return state;
};
