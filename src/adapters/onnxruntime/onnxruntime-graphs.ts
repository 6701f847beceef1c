import type {
  GraphRuntime,
  GraphTensor,
  RunnableGraph,
  TensorType,
} from '../../serving/imported/graph-tensors.ts';

/** Any graph, as it is: named tensors in, named tensors out. Loaded with the first graph. */
export class OnnxruntimeGraphs implements GraphRuntime {
  async load(bytes: Uint8Array): Promise<RunnableGraph> {
    const runtime = await import('onnxruntime-node');
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableCpuMemArena: false,
      logSeverityLevel: 3,
    });
    return {
      async run(inputs, outputs) {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([name, { type, data, dims }]) => [
            name,
            new runtime.Tensor(type, data as never, dims),
          ]),
        );
        const results = await session.run(feeds, [...outputs]);
        return Object.fromEntries(
          outputs.map((name): [string, GraphTensor] => {
            const { type, data, dims } = results[name]!;
            return [name, { type: type as TensorType, data: data as GraphTensor['data'], dims }];
          }),
        );
      },
      release: () => session.release(),
    };
  }
}
