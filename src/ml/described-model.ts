import type { ClassLabel, FeatureSpec, Task } from './pipeline-model.ts';

/** What is known of a model before it is fitted. */
export interface ModelDescription {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly specs: readonly FeatureSpec[];
  readonly classes?: readonly ClassLabel[];
}

/** What every pipeline model says of itself. */
export abstract class DescribedModel {
  readonly task: Task;
  readonly algorithm: string;
  readonly target: string;
  readonly features: readonly FeatureSpec[];
  readonly classes?: readonly ClassLabel[];

  constructor({ task, algorithm, target, specs, classes }: ModelDescription) {
    this.task = task;
    this.algorithm = algorithm;
    this.target = target;
    this.features = specs;
    if (classes !== undefined) this.classes = classes;
  }

  /** The part of `toJSON` that `descriptionFromJSON` reads. */
  protected describe() {
    const { task, algorithm, target, features, classes } = this;
    return { task, algorithm, target, features, classes };
  }
}

export function descriptionFromJSON(json: unknown): ModelDescription {
  const { task, algorithm, target, features, classes } = json as ReturnType<DescribedModel['describe']>;
  return { task, algorithm, target, specs: features, ...(classes === undefined ? {} : { classes }) };
}
