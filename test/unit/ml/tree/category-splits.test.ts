import { describe, expect, it } from 'vitest';
import { fitPipeline, type PipelineSpec } from '../../../../src/ml/pipeline.ts';
import { Random } from '../../../../src/ml/random.ts';
import { categoryColumn, createTable, type Table } from '../../../../src/ml/table.ts';
import { BoostingPipelineModel } from '../../../../src/ml/tree/boosting-pipeline.ts';
import { fitCategoryCodes } from '../../../../src/ml/tree/category-codes.ts';
import { categorySetOf } from '../../../../src/ml/tree/tree.ts';
import { runOnnx } from '../../../parity/onnx-session.ts';

const LETTERS = 'abcdefghijklmnopqrst'.split('');

/** Which letters raise y depends on the side, which counts for more: no one order of the letters serves both. */
function interaction(nRows = 4_000): Table {
  const random = new Random(5);
  const letters: string[] = [];
  const side = new Float64Array(nRows);
  const y = new Float64Array(nRows);
  for (let i = 0; i < nRows; i++) {
    const letter = random.nextInt(LETTERS.length);
    side[i] = random.nextInt(2);
    letters.push(LETTERS[letter]!);
    const raised = side[i] === 1 ? [0, 3, 7, 12, 13] : [1, 3, 8, 9, 17];
    y[i] = 20 * side[i]! + (raised.includes(letter) ? 5 : 0) + random.nextFloat();
  }
  return createTable([
    categoryColumn('letter', letters),
    { name: 'side', type: 'number', values: side },
    { name: 'y', type: 'number', values: y },
  ]);
}

const spec: PipelineSpec = {
  task: 'regression',
  target: 'y',
  algorithm: 'gradient_boosting',
  hyperparameters: { n_estimators: 20, learning_rate: 0.5, max_leaf_nodes: 4 },
  randomState: 0,
};

function boosted(table: Table, changed: Partial<PipelineSpec> = {}): BoostingPipelineModel {
  const result = fitPipeline(table, { ...spec, ...changed });
  if (!result.done || !(result.model instanceof BoostingPipelineModel))
    throw new Error('not a boosting model');
  return result.model;
}

describe('splits on sets of categories', () => {
  const table = interaction();
  const model = boosted(table);

  it('separate what no cut of an order can', () => {
    const { trees } = model.boosted;
    const sets = [...trees.feature.keys()].filter((node) => categorySetOf(trees, node) !== undefined);
    expect(sets.length).toBeGreaterThan(0);
    const { values } = model.predict(table);
    const y = table.columns[2]!;
    if (y.type === 'category') throw new Error('y is a number');
    const wrong = y.values.filter((value, i) => Math.abs(value - values![i]!) > 0.6);
    expect(wrong.length).toBe(0);
  });

  it('are the same in the ONNX graph, for known, unknown and missing categories', async () => {
    const rows = createTable([
      categoryColumn('letter', [...LETTERS, 'never seen', null, '']),
      { name: 'side', type: 'number', values: new Float64Array(LETTERS.length + 3).map((_, i) => i % 2) },
    ]);
    const { prediction } = await runOnnx(model, rows);
    expect(Array.from(prediction!.data as Float32Array)).toEqual(
      Array.from(model.predict(rows).values!, Math.fround),
    );
  });

  it('are the same in the ONNX graph of a hundred trees on two hundred categories', async () => {
    const random = new Random(9);
    const nRows = 6_000;
    const names = Array.from({ length: nRows }, () => `c${random.nextInt(200)}`);
    const effects = Array.from({ length: 400 }, () => random.nextFloat());
    const side = new Float64Array(nRows).map(() => random.nextInt(2));
    const y = side.map((value, i) => effects[Number(names[i]!.slice(1)) * 2 + value]! * 10);
    const wide = createTable([
      categoryColumn('name', names),
      { name: 'side', type: 'number', values: side },
      { name: 'y', type: 'number', values: y },
    ]);
    const large = boosted(wide, { hyperparameters: { n_estimators: 100 } });
    const { prediction } = await runOnnx(large, wide);
    const expected = large.predict(wide).values!;
    const actual = prediction!.data as Float32Array;
    // DETAILS: relative 1e-5 plus absolute 1e-6.
    expect(
      expected.filter((value, i) => !(Math.abs(actual[i]! - value) <= 1e-5 * Math.abs(value) + 1e-6)),
    ).toHaveLength(0);
  });

  it('do not appear where the categories mean nothing', () => {
    const random = new Random(3);
    const nRows = 2_000;
    const noise = createTable([
      categoryColumn(
        'letter',
        Array.from({ length: nRows }, () => LETTERS[random.nextInt(20)]!),
      ),
      { name: 'x', type: 'number', values: new Float64Array(nRows).map((_, i) => i) },
      {
        name: 'y',
        type: 'number',
        values: new Float64Array(nRows).map((_, i) => Number(i > 900) + random.nextFloat()),
      },
    ]);
    const { trees } = boosted(noise).boosted;
    expect(trees.feature[0]).toBe(1);
  });
});

describe('codes of categories', () => {
  const feature = (labels: string[]) => {
    const { codes, categories } = categoryColumn('x', labels);
    return { kind: 'category', spec: { name: 'x', type: 'category', categories }, codes } as const;
  };

  it('follow the mean target, and rare categories have none', () => {
    const labels = [...Array(30).fill('high'), ...Array(30).fill('low'), 'once'];
    const y = Float64Array.from(labels, (label) => (label === 'high' ? 2 : 1));
    expect(fitCategoryCodes(feature(labels), 4, [y])).toEqual({ column: 4, codeOfCategory: [1, 0, null] });
  });

  it('go to the most frequent 254', () => {
    const labels = Array.from({ length: 300 }, (_, i) =>
      Array(i < 254 ? 30 : 25).fill(`c${1000 + i}`),
    ).flat();
    const { codeOfCategory } = fitCategoryCodes(feature(labels), 0, [new Float64Array(labels.length)]);
    expect(codeOfCategory.filter((code) => code !== null)).toHaveLength(254);
    expect(codeOfCategory.slice(254).every((code) => code === null)).toBe(true);
  });

  it('put classes that go together side by side when there are more than two', () => {
    const labels = ['a', 'b', 'c'].flatMap((label) => Array(40).fill(label) as string[]);
    const shares = { a: [1, 0, 0], b: [0, 0, 1], c: [0.9, 0.1, 0] } as Record<string, number[]>;
    const targets = [0, 1, 2].map((k) => Float64Array.from(labels, (label) => shares[label]![k]!));
    const [a, b, c] = fitCategoryCodes(feature(labels), 0, targets).codeOfCategory as number[];
    expect(Math.abs(a! - c!)).toBe(1);
    expect(Math.abs(a! - b!)).toBe(2);
  });
});
