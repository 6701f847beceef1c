/** What the catalogue says of an algorithm: the tasks it fits and what can be set. Documentation is made from it. */
import type { Hyperparameter } from '../hyperparameter.ts';
import type { Task } from '../pipeline-model.ts';

export interface Algorithm {
  readonly name: string;
  readonly title: string;
  /** What it is. */
  readonly description: string;
  /** When to choose it, and when another one. */
  readonly choice: string;
  /** Time and memory of a fit, and the size of a model. */
  readonly cost: string;
  readonly papers: readonly string[];
  readonly tasks: readonly Task[];
  readonly features: FeatureTreatment;
  /** What `explain` gives for it. */
  readonly explanation: string;
  readonly hyperparameters: readonly Hyperparameter[];
}

/** What becomes of a feature's values, in words. */
export interface FeatureTreatment {
  readonly numbers: string;
  readonly missing: string;
  readonly categories: string;
  readonly dates: string;
}
