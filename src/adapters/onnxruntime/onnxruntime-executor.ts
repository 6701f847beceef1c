import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelLoadError } from '../../errors.ts';
import type { FeatureBatch, FeatureValues } from '../../serving/feature-batch.ts';
import type { GraphOutput, LoadedModel, ModelExecutor } from '../../serving/model-executor.ts';

type Onnxruntime = typeof import('onnxruntime-node');

/** Loaded with the first model that needs it: 40 ms and 40 MB that the others do without. */
const onnxruntime = (): Promise<Onnxruntime> => import('onnxruntime-node');

/** Runs graphs whose inputs are one `[N, 1]` tensor a feature, with outputs `probabilities` or `prediction`. */
export class OnnxruntimeExecutor implements ModelExecutor {
  async load(modelBytes: Uint8Array): Promise<LoadedModel> {
    const runtime = await onnxruntime();
    let session: InferenceSession;
    try {
      session = await runtime.InferenceSession.create(modelBytes, {
        executionProviders: ['cpu'],
        // One row at a time: threads and an arena cost more than they give.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        enableCpuMemArena: false,
        logSeverityLevel: 3,
      });
    } catch (cause) {
      throw new ModelLoadError('the artifact is no ONNX graph that this platform can run', { cause });
    }
    return new OnnxruntimeModel(runtime, session, modelBytes.byteLength);
  }
}

/** Resident memory of a session over its file's bytes (measured 5 to 6), and what any session takes. */
const residentFactor = 6;
const residentBaseBytes = 512 * 1024;

class OnnxruntimeModel implements LoadedModel {
  readonly executor = 'onnxruntime';
  readonly residentBytes: number;
  readonly #runtime: Onnxruntime;
  readonly #session: InferenceSession;
  readonly #output: 'probabilities' | 'prediction';
  readonly #inputs: ReadonlySet<string>;

  constructor(runtime: Onnxruntime, session: InferenceSession, modelBytes: number) {
    this.#runtime = runtime;
    this.residentBytes = modelBytes * residentFactor + residentBaseBytes;
    this.#session = session;
    this.#inputs = new Set(session.inputNames);
    this.#output = session.outputNames.includes('probabilities') ? 'probabilities' : 'prediction';
  }

  async run(batch: FeatureBatch): Promise<GraphOutput> {
    const feeds: Record<string, Tensor> = {};
    for (const values of batch.features) {
      if (this.#inputs.has(values.input)) feeds[values.input] = this.#tensorOf(values, batch.nRows);
    }
    const outputs = await this.#session.run(feeds, [this.#output]);
    const data = outputs[this.#output]!.data as Float32Array;
    return this.#output === 'probabilities' ? { probabilities: data } : { values: data };
  }

  #tensorOf({ kind, data }: FeatureValues, nRows: number): Tensor {
    return new this.#runtime.Tensor(kind, data as never, [nRows, 1]);
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
