import { describe, expect, it } from 'vitest';
import { attribute, GraphBuilder } from '../../../../src/ml/onnx/graph-builder.ts';
import { ElementType } from '../../../../src/ml/onnx/onnx-versions.ts';
import type { FeatureValues } from '../../../../src/serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../../../src/serving/graph/typescript-executor.ts';

const ML = { domain: 'ai.onnx.ml' } as const;
const MISSING = -(2n ** 63n);

/** Writes from a float input, a date and a text to a double [N, 1]. */
type Write = (graph: GraphBuilder, x: string, date: string, text: string) => string;

function graphOf(write: Write): Uint8Array {
  const graph = new GraphBuilder(['prediction']);
  const x = graph.input('x', ElementType.float);
  const date = graph.input('date', ElementType.int64);
  const text = graph.input('text', ElementType.string);
  const result = write(graph, x, date, text);
  graph.node('Cast', [result], {
    attributes: [attribute.int('to', ElementType.float)],
    output: 'prediction',
  });
  graph.output('prediction', ElementType.float, ['N', 1]);
  return graph.build('test', {});
}

const toDouble = { attributes: [attribute.int('to', ElementType.double)] };

/** The moment, or 0 where it is missing, as exporters of ours write it. */
function knownDate(graph: GraphBuilder, date: string): string {
  const isMissing = graph.node('Equal', [date, graph.int64s([MISSING], [1])]);
  return graph.node('Where', [isMissing, graph.int64s([0n], [1]), date]);
}

const encoder = (keys: readonly string[], values: readonly number[]) => ({
  ...ML,
  attributes: [
    attribute.strings('keys_strings', keys),
    attribute.floats('values_floats', values),
    attribute.float('default_float', -1),
  ],
});

interface Leaf {
  readonly node: number;
  readonly target: number;
  readonly weight: number;
}

/** One test of x <= 0.5 with a leaf on each side. */
function stump(leaves: readonly Leaf[], base: readonly number[], mode = 'BRANCH_LEQ', threshold = 0.5) {
  return {
    ...ML,
    attributes: [
      attribute.ints('nodes_treeids', [0, 0, 0]),
      attribute.ints('nodes_nodeids', [0, 1, 2]),
      attribute.ints('nodes_featureids', [0, 0, 0]),
      attribute.strings('nodes_modes', [mode, 'LEAF', 'LEAF']),
      attribute.floats('nodes_values', [threshold, 0, 0]),
      attribute.ints('nodes_missing_value_tracks_true', [0, 0, 0]),
      attribute.ints('nodes_truenodeids', [1, 0, 0]),
      attribute.ints('nodes_falsenodeids', [2, 0, 0]),
      attribute.ints(
        'target_treeids',
        leaves.map(() => 0),
      ),
      attribute.ints(
        'target_nodeids',
        leaves.map((leaf) => leaf.node),
      ),
      attribute.ints(
        'target_ids',
        leaves.map((leaf) => leaf.target),
      ),
      attribute.floats(
        'target_weights',
        leaves.map((leaf) => leaf.weight),
      ),
      attribute.floats('base_values', base),
      attribute.int('n_targets', base.length),
      attribute.string('aggregate_function', 'SUM'),
      attribute.string('post_transform', 'NONE'),
    ],
  };
}

const bothLeaves: readonly Leaf[] = [
  { node: 1, target: 0, weight: 10 },
  { node: 2, target: 0, weight: 20 },
];

const treesOver =
  (options: ReturnType<typeof stump>): Write =>
  (graph, x) => {
    const sum = graph.node('TreeEnsembleRegressor', [graph.node('Cast', [x], toDouble)], options);
    return graph.node('Cast', [sum], toDouble);
  };

async function predictions(write: Write): Promise<number[]> {
  const loaded = await new TypeScriptExecutor().load(graphOf(write));
  const features: FeatureValues[] = [
    { input: 'x', kind: 'float32', data: Float32Array.of(0.5, 0.75, Number.NaN) },
    { input: 'date', kind: 'int64', data: BigInt64Array.of(-7n, MISSING, 9n) },
    { input: 'text', kind: 'string', data: ['a', '', 'b\0c'] },
  ];
  return Array.from((await loaded.run({ nRows: 3, features })).values!);
}

describe('the executor in TypeScript', () => {
  it('adds to the base what the leaves say, and sends a missing value to the right', async () => {
    expect(await predictions(treesOver(stump(bothLeaves, [1])))).toEqual([11, 21, 21]);
  });

  it('divides and takes remainders of dates before 1970 as int64 does', async () => {
    const binary =
      (operator: string): Write =>
      (graph, _x, date) =>
        graph.node(
          'Cast',
          [graph.node(operator, [knownDate(graph, date), graph.int64s([4n], [1])])],
          toDouble,
        );
    // Div rounds towards 0; Mod has the sign of its divisor.
    expect(await predictions(binary('Div'))).toEqual([-1, 0, 2]);
    expect(await predictions(binary('Mod'))).toEqual([1, 0, 1]);
  });

  it('looks texts up, ended by NUL as in UTF-8 of C', async () => {
    const write: Write = (graph, _x, _date, text) =>
      graph.node('Cast', [graph.node('LabelEncoder', [text], encoder(['a', 'b'], [3, 4]))], toDouble);
    expect(await predictions(write)).toEqual([3, -1, 4]);
  });

  it.each<[string, Write]>([
    [
      'int64 arithmetic on a date that may be missing',
      (graph, _x, date) => graph.node('Cast', [graph.node('Add', [date, graph.int64s([1n], [1])])], toDouble),
    ],
    [
      'int64 products beyond 2^53',
      (graph, _x, date) =>
        graph.node('Cast', [graph.node('Mul', [knownDate(graph, date), graph.int64s([4n], [1])])], toDouble),
    ],
    [
      'an int64 that no double holds',
      (graph, _x, date) =>
        graph.node(
          'Cast',
          [graph.node('Sub', [knownDate(graph, date), graph.int64s([2n ** 60n], [1])])],
          toDouble,
        ),
    ],
    [
      'another sentinel than the int64 minimum',
      (graph, _x, date) => {
        const isMissing = graph.node('Equal', [date, graph.int64s([MISSING + 1n], [1])]);
        return graph.node(
          'Cast',
          [graph.node('Where', [isMissing, graph.int64s([0n], [1]), date])],
          toDouble,
        );
      },
    ],
    [
      'a division by what a row says',
      (graph, _x, date) => {
        const known = knownDate(graph, date);
        return graph.node('Cast', [graph.node('Div', [known, known])], toDouble);
      },
    ],
    [
      'a key twice',
      (graph, _x, _date, text) =>
        graph.node('Cast', [graph.node('LabelEncoder', [text], encoder(['a', 'a'], [1, 2]))], toDouble),
    ],
    [
      'an attribute that nobody knows',
      (graph, x) =>
        graph.node('Exp', [graph.node('Cast', [x], toDouble)], { attributes: [attribute.int('fast', 1)] }),
    ],
    ['a function of float32', (graph, x) => graph.node('Cast', [graph.node('Exp', [x])], toDouble)],
    ['a sum of types', (graph, x) => graph.node('Add', [x, graph.doubles([1], [1])])],
    [
      'a constant that differs from row to row',
      (graph, x) => graph.node('Add', [graph.node('Cast', [x], toDouble), graph.doubles([1, 2], [2, 1])]),
    ],
    ['trees of another mode', treesOver(stump(bothLeaves, [0], 'BRANCH_LT'))],
    ['a threshold that is no number', treesOver(stump(bothLeaves, [0], 'BRANCH_LEQ', Number.NaN))],
    ['an equality with a fraction', treesOver(stump(bothLeaves, [0], 'BRANCH_EQ', 0.5))],
    ['a leaf without a score', treesOver(stump(bothLeaves.slice(0, 1), [0]))],
    ['a leaf with two scores', treesOver(stump([bothLeaves[0]!, bothLeaves[0]!, bothLeaves[1]!], [0]))],
    ['a base of a target without scores', treesOver(stump(bothLeaves, [0, 3]))],
    [
      'trees over doubles that are no float32',
      (graph, x) => {
        const double = graph.node('Add', [graph.node('Cast', [x], toDouble), graph.doubles([0.1], [1])]);
        return graph.node(
          'Cast',
          [graph.node('TreeEnsembleRegressor', [double], stump(bothLeaves, [0]))],
          toDouble,
        );
      },
    ],
  ])('leaves %s to others', async (_, write) => {
    const compiled = new TypeScriptExecutor().compile(graphOf(write));
    expect(compiled).toEqual({ unsupported: expect.stringMatching(/\w/) });
    await expect(new TypeScriptExecutor().load(graphOf(write))).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
    });
  });

  it('says which input a batch lacks', async () => {
    const loaded = await new TypeScriptExecutor().load(graphOf(treesOver(stump(bothLeaves, [0]))));
    expect(() => loaded.run({ nRows: 1, features: [] })).toThrowError(
      expect.objectContaining({ code: 'MODEL_INPUT_MISSING', message: expect.stringMatching(/"x"/) }),
    );
  });
});
