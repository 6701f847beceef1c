/** Damaged and hostile graphs: a refusal, or the answer that onnxruntime gives to the same bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OnnxruntimeExecutor } from '../../src/adapters/onnxruntime/onnxruntime-executor.ts';
import { PredictionError } from '../../src/errors.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { attribute, GraphBuilder } from '../../src/ml/onnx/graph-builder.ts';
import { ElementType } from '../../src/ml/onnx/onnx-versions.ts';
import { Random } from '../../src/ml/random.ts';
import { batchOfTable, type FeatureBatch } from '../../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../src/serving/graph/typescript-executor.ts';
import type { LoadedModel } from '../../src/serving/model-executor.ts';
import { fewTrees, fitted } from '../unit/ml/support/fitting.ts';
import { randomTable } from '../unit/ml/support/random-table.ts';

const typescript = new TypeScriptExecutor();
const onnxruntime = new OnnxruntimeExecutor();

const subjects = (
  [
    ['gradient_boosting', 'classification', 'binary'],
    ['random_forest', 'classification', 'multiclass'],
    ['logistic_regression', 'classification', 'multiclass'],
    ['ridge', 'regression', 'numeric'],
  ] as const
).map(([algorithm, task, target]) => {
  const table = randomTable({ nRows: 150, target });
  const model = fitted(table, { algorithm, task, hyperparameters: fewTrees(algorithm, 3) });
  return { algorithm, graph: exportOnnx(model), batch: batchOfTable(onnxInputs(model), table) };
});

/** The model, or `undefined` when it was refused; every other error is a failure of the test. */
function compiled(bytes: Uint8Array): LoadedModel | undefined {
  try {
    const model = typescript.compile(bytes);
    return 'unsupported' in model ? undefined : model;
  } catch (error) {
    expect(error).toMatchObject({ code: 'MODEL_LOAD_FAILED' });
    return undefined;
  }
}

/** The numbers, or `undefined` when the graph now asks for an input that the batch lacks. */
async function answerOf(model: LoadedModel, batch: FeatureBatch): Promise<Float32Array | undefined> {
  try {
    const { values, probabilities } = await model.run(batch);
    return (values ?? probabilities)!;
  } catch (error) {
    if (model.executor === 'typescript') expect(error).toBeInstanceOf(PredictionError);
    return undefined;
  }
}

describe.each(subjects)('the graph of $algorithm', ({ graph, batch }) => {
  it('is refused when it is cut short, or is the whole graph', async () => {
    for (let length = 0; length < graph.length; length += Math.ceil(graph.length / 700)) {
      const model = compiled(graph.subarray(0, length));
      if (model !== undefined) await answerOf(model, batch);
      // What is behind the graph is metadata, and names of versions before it.
      if (length < graph.length * 0.5) expect(model).toBeUndefined();
    }
  });

  it('with flipped bits is refused, or answers as onnxruntime does', async () => {
    const random = new Random(7);
    let answered = 0;
    let compared = 0;
    for (let i = 0; i < 600; i++) {
      const bytes = graph.slice();
      const nFlips = 1 + random.nextInt(2);
      for (let k = 0; k < nFlips; k++) bytes[random.nextInt(bytes.length)]! ^= 1 << random.nextInt(8);
      const own = compiled(bytes);
      if (own === undefined) continue;
      const actual = await answerOf(own, batch);
      if (actual === undefined) continue;
      answered++;
      if (answered % 4 !== 0) continue;
      const other = await onnxruntime.load(bytes).catch(() => undefined);
      if (other === undefined) continue;
      const reference = await answerOf(other, batch).finally(() => other.release());
      if (reference === undefined) continue;
      compared++;
      expect(actual.length).toBe(reference.length);
      const wrong = Array.from(reference, Number).flatMap((value, at) => {
        const isSame = Object.is(actual[at], value) || actual[at] === value;
        // The promised tolerance: relative 1e-5 plus absolute 1e-6.
        return isSame || Math.abs(actual[at]! - value) <= 1e-5 * Math.abs(value) + 1e-6
          ? []
          : [`flip ${i}, value ${at}: ${value} ≠ ${actual[at]}`];
      });
      expect(wrong).toEqual([]);
    }
    expect(compared).toBeGreaterThan(10);
  });

  it('with a stretch of other bytes in it never fails in another way than by refusal', () => {
    const other = fc.record({
      at: fc.nat(graph.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }),
    });
    fc.assert(
      fc.property(other, ({ at, bytes }) => {
        const damaged = graph.slice();
        damaged.set(bytes.subarray(0, damaged.length - at), at);
        const model = compiled(damaged);
        try {
          model?.run(batch);
        } catch (error) {
          expect(error).toBeInstanceOf(PredictionError);
        }
      }),
      { numRuns: 1_500, seed: 9 },
    );
  });
});

/** A graph of one float input "x" and the output "prediction" [N, 1]. */
function regressionGraph(write: (graph: GraphBuilder, x: string) => void): Uint8Array {
  const graph = new GraphBuilder(['prediction', 'a', 'b']);
  const x = graph.input('x', ElementType.float);
  write(graph, x);
  graph.output('prediction', ElementType.float, ['N', 1]);
  return graph.build('hostile', {});
}

const toFloat = { attributes: [attribute.int('to', 1)], output: 'prediction' };

describe('a graph that is not ours', () => {
  it.each<[string, Uint8Array]>([
    [
      'with a cycle',
      regressionGraph((graph) => {
        graph.node('Add', ['b', 'b'], { output: 'a' });
        graph.node('Add', ['a', 'a'], { output: 'b' });
        graph.node('Cast', ['b'], toFloat);
      }),
    ],
    [
      'with a node that uses itself',
      regressionGraph((graph) => {
        graph.node('Cast', ['prediction'], toFloat);
      }),
    ],
    [
      'with a name that nobody makes',
      regressionGraph((graph) => {
        graph.node('Cast', ['nobody'], toFloat);
      }),
    ],
    [
      'that makes a name twice',
      regressionGraph((graph, x) => {
        graph.node('Exp', [x], { output: 'a' });
        graph.node('Exp', [x], { output: 'a' });
        graph.node('Cast', ['a'], toFloat);
      }),
    ],
    [
      'with a tensor that is said to have 2^40 elements',
      regressionGraph((graph, x) => {
        const huge = graph.doubles([1], [2 ** 20, 2 ** 20]);
        const double = graph.node('Cast', [x], { attributes: [attribute.int('to', 11)] });
        graph.node('Cast', [graph.node('MatMul', [double, huge])], toFloat);
      }),
    ],
    [
      'whose shape comes from data',
      regressionGraph((graph, x) => {
        const shape = graph.node('Cast', [x], { attributes: [attribute.int('to', 7)] });
        const zeros = graph.node('ConstantOfShape', [shape], {
          attributes: [attribute.doubleScalar('value', 0)],
        });
        graph.node('Cast', [zeros], toFloat);
      }),
    ],
    [
      'that doubles its width forty times',
      regressionGraph((graph, x) => {
        let wide = x;
        for (let i = 0; i < 40; i++)
          wide = graph.node('Concat', [wide, wide], { attributes: [attribute.int('axis', 1)] });
        graph.node('Cast', [wide], toFloat);
      }),
    ],
    [
      'with a loop',
      regressionGraph((graph, x) => {
        graph.node('Cast', [graph.node('Loop', ['', '', x])], toFloat);
      }),
    ],
    [
      'that looks up rows beyond its table',
      regressionGraph((graph, x) => {
        const table = graph.doubles([1, 2], [2, 1]);
        const index = graph.int64s([5n], [1]);
        const far = graph.node('Add', [graph.node('Shape', [x]), index]);
        graph.node('Cast', [graph.node('Gather', [table, far])], toFloat);
      }),
    ],
  ])('%s is left to others, without running or allocating anything', (_, bytes) => {
    const before = process.memoryUsage().rss;
    expect(compiled(bytes)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});
