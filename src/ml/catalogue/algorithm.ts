/** What the catalogue says of an algorithm: the tasks it fits and what can be set. Documentation is made from it. */
import type { Hyperparameter } from '../hyperparameter.ts';
import type { Task } from '../pipeline-model.ts';

export interface Algorithm {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly tasks: readonly Task[];
  readonly hyperparameters: readonly Hyperparameter[];
}
