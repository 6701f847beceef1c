import { ModelLoadError } from '../../errors.ts';
import { readModel } from '../../ml/onnx/read/read-model.ts';
import type { FeatureBatch } from '../feature-batch.ts';
import type { GraphOutput, LoadedModel, ModelExecutor } from '../model-executor.ts';
import { compileGraph, type GraphPlan, GraphScratch } from './graph-plan.ts';
import { NotSupported } from './not-supported.ts';

/** Steps, names and objects of any plan. */
const residentBaseBytes = 48 * 1024;

/** An ONNX model that may be a good one, and that another executor has to run. */
export class GraphNotSupportedError extends ModelLoadError {
  constructor(reason: string) {
    super(`the executor in TypeScript does not run graphs with ${reason}`, {
      evidence: { reason },
    });
  }
}

/** Runs the graphs that our own exporters write, in plain TypeScript; says of every other one that it does not. */
export class TypeScriptExecutor implements ModelExecutor {
  readonly #scratch = new GraphScratch();

  /** @throws {GraphNotSupportedError} */
  async load(modelBytes: Uint8Array): Promise<LoadedModel> {
    const compiled = this.compile(modelBytes);
    if ('unsupported' in compiled) throw new GraphNotSupportedError(compiled.unsupported);
    return compiled;
  }

  /**
   * @returns what keeps it from running the graph, when something does
   * @throws {ModelDamagedError} MODEL_LOAD_FAILED when the bytes are no ONNX model
   */
  compile(modelBytes: Uint8Array): LoadedModel | { readonly unsupported: string } {
    const model = readModel(modelBytes);
    try {
      return new TypeScriptModel(compileGraph(model), this.#scratch);
    } catch (error) {
      if (error instanceof NotSupported) return { unsupported: error.message };
      throw error;
    }
  }
}

class TypeScriptModel implements LoadedModel {
  readonly executor = 'typescript';
  readonly residentBytes: number;
  #plan: GraphPlan | undefined;
  readonly #scratch: GraphScratch;

  constructor(plan: GraphPlan, scratch: GraphScratch) {
    this.residentBytes = plan.keptBytes + residentBaseBytes;
    this.#plan = plan;
    this.#scratch = scratch;
  }

  run(batch: FeatureBatch): GraphOutput {
    return this.#plan!.run(batch, this.#scratch);
  }

  release(): Promise<void> {
    // What holds on to the model must not hold on to its trees.
    this.#plan = undefined;
    return Promise.resolve();
  }
}
