import { describe, expect, it } from 'vitest';
import { algorithms } from '../../../../src/ml/algorithms.ts';
import { probabilitiesFromScores } from '../../../../src/ml/class-probabilities.ts';
import type { ForestPipelineModel } from '../../../../src/ml/ensemble/forest-pipeline.ts';
import { type Explanation, explain, importanceOf } from '../../../../src/ml/explain/explain.ts';
import { fitPipeline, type PipelineModel, type Predictions, type Task } from '../../../../src/ml/pipeline.ts';
import { createTable, type Table, takeRows } from '../../../../src/ml/table.ts';
import type { BoostingPipelineModel } from '../../../../src/ml/tree/boosting-pipeline.ts';
import { randomTable } from '../support/random-table.ts';

function fitted(task: Task, algorithm: string, train: Table, hyperparameters = {}): PipelineModel {
  const result = fitPipeline(train, { task, target: 'y', algorithm, hyperparameters, randomState: 1 });
  if (!result.done) throw new Error('paused');
  return result.model;
}

/** One column per score: base plus the values of the features. */
function sums({ nRows, nScores, nFeatures, base, values }: Explanation): Float64Array[] {
  return Array.from({ length: nScores }, (_, k) =>
    Float64Array.from({ length: nRows }, (_, row) => {
      let sum = base[k]!;
      for (let j = 0; j < nFeatures; j++) sum += values[(row * nScores + k) * nFeatures + j]!;
      return sum;
    }),
  );
}

/** The predictions that an explanation adds up to. */
function predictionsOf(explanation: Explanation, nClasses: number): Predictions {
  const scores = sums(explanation);
  const { nRows, scale } = explanation;
  if (scale === 'prediction') return { nRows, values: scores[0]! };
  if (scale === 'log_prediction') return { nRows, values: scores[0]!.map(Math.exp) };
  if (scale !== 'probability') return probabilitiesFromScores(scores, nClasses);
  const probabilities = new Float64Array(nRows * nClasses);
  // Of two classes the second has the score.
  const perClass = nClasses === 2 ? [scores[0]!.map((second) => 1 - second), scores[0]!] : scores;
  perClass.forEach((column, k) => {
    column.forEach((value, row) => {
      probabilities[row * nClasses + k] = value;
    });
  });
  return { nRows, probabilities, nClasses };
}

function expectExplained(model: PipelineModel, table: Table): Explanation {
  const explanation = explain(model, table);
  const expected = model.predict(table);
  const actual = predictionsOf(explanation, model.classes?.length ?? 0);
  const [given, wanted] = [
    actual.values ?? actual.probabilities!,
    expected.values ?? expected.probabilities!,
  ];
  expect(given.length).toBe(wanted.length);
  given.forEach((value, i) => {
    // The tolerance that is stated for explanations.
    expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1e-5 * Math.abs(wanted[i]!) + 1e-6);
  });
  expect(explanation.features).toEqual(model.features.map((feature) => feature.name));
  return explanation;
}

const targets = { classification: ['binary', 'multiclass'], regression: ['numeric'] } as const;
const cases = algorithms.flatMap(({ name, tasks }) =>
  tasks.flatMap((task) => targets[task].map((target) => ({ name, task, target }))),
);

describe('an explanation', () => {
  it.each(cases)('of $name for a $target target adds up to the prediction', ({ name, task, target }) => {
    const rows = randomTable({ target, seed: 12, nRows: 60 });
    const explanation = expectExplained(fitted(task, name, randomTable({ target })), rows);
    const nothing = [explanation.features.indexOf('constant'), explanation.features.indexOf('never')];
    for (let i = 0; i < explanation.values.length; i++) {
      if (nothing.includes(i % explanation.nFeatures)) expect(explanation.values[i]! + 0).toBe(0);
    }
  });

  it.each(['absolute_error', 'quantile', 'poisson'])(
    'of boosting with loss %s adds up to the prediction',
    (loss) => {
      const train = randomTable();
      const model = fitted('regression', 'gradient_boosting', withAbsoluteTarget(train), { loss });
      const { scale } = expectExplained(model, randomTable({ seed: 12, nRows: 60 }));
      expect(scale).toBe(loss === 'poisson' ? 'log_prediction' : 'prediction');
    },
  );

  it('of one row is the same as that of the row among others', () => {
    const model = fitted('classification', 'gradient_boosting', randomTable({ target: 'multiclass' }));
    const rows = randomTable({ target: 'multiclass', seed: 12, nRows: 40 });
    const all = explain(model, rows);
    const one = explain(model, takeRows(rows, Int32Array.of(17)));
    const size = all.nScores * all.nFeatures;
    expect(one.values).toEqual(all.values.slice(17 * size, 18 * size));
    expect(one.base).toEqual(all.base);
  });

  it('of no rows is empty', () => {
    const model = fitted('regression', 'gradient_boosting', randomTable());
    expect(explain(model, takeRows(randomTable(), new Int32Array(0))).values).toHaveLength(0);
  });

  it('needs the features as a prediction does', () => {
    const model = fitted('regression', 'baseline', randomTable());
    const table = createTable(randomTable().columns.filter((column) => column.name !== 'city'));
    expect(() => explain(model, table)).toThrow(expect.objectContaining({ code: 'FEATURE_NOT_FOUND' }));
  });

  it('is not to be had of a model that nobody taught to explain itself', () => {
    const model = fitted('regression', 'baseline', randomTable());
    const stranger = { ...model, predict: model.predict, toJSON: () => null } as PipelineModel;
    expect(() => explain(stranger, randomTable())).toThrow(
      expect.objectContaining({ code: 'EXPLANATION_NOT_AVAILABLE' }),
    );
    expect(() => importanceOf(model)).toThrow(expect.objectContaining({ code: 'EXPLANATION_NOT_AVAILABLE' }));
  });
});

describe('an explanation of trees', () => {
  it.each(
    algorithms
      .filter(({ name }) => ['gradient_boosting', 'random_forest', 'extra_trees'].includes(name))
      .flatMap(({ name }) =>
        (['binary', 'multiclass', 'numeric'] as const).map((target) => [name, target] as const),
      ),
  )('of %s adds up to every %s score, in float64', (name, target) => {
    const task = target === 'numeric' ? 'regression' : 'classification';
    const rows = randomTable({ target, seed: 12, nRows: 60 });
    const model = fitted(task, name, randomTable({ target })) as BoostingPipelineModel | ForestPipelineModel;
    const scores = model.scores(rows);
    sums(explain(model, rows)).forEach((column, k) => {
      column.forEach((sum, row) => {
        // Rounding of some thousand additions.
        expect(Math.abs(sum - scores[k]![row]!)).toBeLessThan(1e-10);
      });
    });
  });
});

describe('importance of a model', () => {
  it('adds up per feature, dates included, and knows nothing of features that say nothing', () => {
    const model = fitted('regression', 'gradient_boosting', randomTable({ nRows: 1000 }));
    const { gain, splits } = importanceOf(model);
    const by = (name: string) => model.features.findIndex((feature) => feature.name === name);
    expect(gain).toHaveLength(model.features.length);
    expect(gain[by('small')]).toBeGreaterThan(gain[by('flag')]!);
    for (const name of ['small', 'large', 'when', 'city']) expect(splits[by(name)]).toBeGreaterThan(0);
    expect([gain[by('constant')], splits[by('never')]]).toEqual([0, 0]);
  });
});

function withAbsoluteTarget(table: Table): Table {
  return createTable(
    table.columns.map((column) =>
      column.name === 'y' && column.type === 'number'
        ? { ...column, values: column.values.map(Math.abs) }
        : column,
    ),
  );
}
