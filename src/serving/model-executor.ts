import type { ClassLabel } from '../contracts/models.ts';
import type { FeatureBatch } from './feature-batch.ts';

/** What a graph gives for a batch. */
export interface GraphOutput {
  /** Regression: one value a row. */
  readonly values?: Float32Array;
  /** Classification: row-major, one column a class, in the order of the version's classes. */
  readonly probabilities?: Float32Array;
  /** Classification by a graph that says the label itself, with probabilities or without. */
  readonly labels?: readonly ClassLabel[];
}

/** A model in memory, ready to predict. */
export interface LoadedModel {
  /** Which executor runs it. */
  readonly executor: 'typescript' | 'onnxruntime' | 'sagemaker' | 'imported';
  /** What it takes while it is loaded, in bytes, as far as its executor can tell. */
  readonly residentBytes: number;
  run(batch: FeatureBatch): GraphOutput | Promise<GraphOutput>;
  release(): Promise<void>;
}

export interface ModelExecutor {
  /** @throws {ModelLoadError} when the bytes are no graph that can be run */
  load(modelBytes: Uint8Array): Promise<LoadedModel>;
}
