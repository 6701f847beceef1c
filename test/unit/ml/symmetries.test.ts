/** Changes of a table that must not change what is learnt, or only as much as an algorithm's own reason allows. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/ml/random.ts';
import { type Column, categoryColumn, type Table, takeRows } from '../../../src/ml/table.ts';
import {
  everyAlgorithm,
  everyClassifier,
  everyRegressor,
  fitted,
  has,
  largestDifference,
  mapColumns,
  meanDifference,
  numberColumn,
  outputsOf,
} from './support/fitting.ts';
import { randomTable } from './support/random-table.ts';

/** Their trees are drawn at random: what is drawn depends on the number and order of columns, and on the classes'. */
const drawn = new Set(['random_forest', 'extra_trees']);

/** Both fits near their minimum, so that only rounding differs. */
function converged(algorithm: string): Record<string, unknown> {
  return has(algorithm, 'tol') && has(algorithm, 'max_iter') && !has(algorithm, 'n_estimators')
    ? { tol: 1e-8 }
    : {};
}

/** Mean of the differences between two forests of 100 trees on other draws, in units of the outputs (0 to 1, 0 to 10). */
const OTHER_DRAWS = { classification: 0.06, regression: 0.3 } as const;

/** Sums of doubles in another order, through a solver: far above their rounding, far below any tolerance of use. */
const ROUNDING = 1e-9;

const targetOf = { classification: 'multiclass', regression: 'numeric' } as const;

describe.each(everyAlgorithm)('$algorithm for $task', ({ algorithm, task }) => {
  const train = randomTable({ target: targetOf[task] });
  const test = randomTable({ target: targetOf[task], seed: 5 });
  const hyperparameters = converged(algorithm);
  const spec = { algorithm, task, hyperparameters };
  const plain = outputsOf(fitted(train, spec), test);
  const fittedOn = (change: (table: Table) => Table, changed = spec) =>
    outputsOf(fitted(change(train), changed), change(test));

  it('learns the same from rows in another order', () => {
    const shuffled = new Random(4).shuffle(Int32Array.from({ length: train.nRows }, (_, row) => row));
    const outputs = outputsOf(fitted(takeRows(train, shuffled), spec), test);
    if (algorithm === 'random_forest') {
      // A bootstrap draws rows by their number: other rows in each tree, but as good a forest.
      expect(meanDifference(outputs, plain)).toBeLessThan(OTHER_DRAWS[task]);
    } else {
      // Histograms add integers: exact, below the number of rows at which derivatives are rounded at random. Sums of
      // doubles round otherwise.
      const exact = has(algorithm, 'n_estimators');
      expect(largestDifference(outputs, plain)).toBeLessThanOrEqual(exact ? 0 : ROUNDING);
    }
  });

  it('learns nothing from columns that are constant or empty', () => {
    const padded = (table: Table): Table => {
      const { nRows } = table;
      return {
        nRows,
        columns: [
          numberColumn('seven', new Float64Array(nRows).fill(-7)),
          ...table.columns,
          { name: 'no date', type: 'date', values: new Float64Array(nRows).fill(Number.NaN) },
          categoryColumn('one', new Array(nRows).fill('same')),
          categoryColumn('none', new Array(nRows).fill(null)),
        ],
      };
    };
    // A forest draws among all columns by default, so their number counts.
    if (drawn.has(algorithm) && task === 'classification') {
      expect(meanDifference(fittedOn(padded), plain)).toBeLessThan(OTHER_DRAWS[task]);
    } else {
      expect(fittedOn(padded)).toEqual(plain);
    }
  });

  it('learns the same from columns that are there twice', () => {
    const doubled = (table: Table): Table => ({
      nRows: table.nRows,
      columns: [
        ...table.columns,
        ...table.columns.filter(({ name }) => name !== 'y').map((one) => ({ ...one, name: `${one.name} 2` })),
      ],
    });
    if (drawn.has(algorithm)) {
      expect(meanDifference(fittedOn(doubled), plain)).toBeLessThan(OTHER_DRAWS[task]);
      return;
    }
    // Two halves of a weight have half of its square: twice the L2 penalty makes up for it.
    const penalties: Record<string, Record<string, unknown>> = {
      ridge: { alpha: 2 },
      logistic_regression: { C: 0.5 },
      // A penalty of 0.1 |w| and 0.1 w² / 2 becomes one of 0.1 |w| and 0.2 w² / 2.
      elastic_net: { alpha: 0.3, l1_ratio: 1 / 3 },
    };
    const single = algorithm === 'elastic_net' ? { alpha: 0.2, l1_ratio: 0.5 } : {};
    const outputs = fittedOn(doubled, {
      ...spec,
      hyperparameters: { ...hyperparameters, ...penalties[algorithm] },
    });
    const wanted = outputsOf(
      fitted(train, { ...spec, hyperparameters: { ...hyperparameters, ...single } }),
      test,
    );
    // The solvers with L1 stop where no subgradient is larger than `tol`, along a valley that is flat between twins.
    expect(largestDifference(outputs, wanted)).toBeLessThanOrEqual(1e-5);
  });

  it.each([2 ** 60, 2 ** -60, 1e30, 1e-30])('does not depend on the unit of the numbers, %d', (unit) => {
    const isNumber = (column: Column) => column.type === 'number' && column.name !== 'y';
    const inUnits = (table: Table) =>
      mapColumns(table, (column) =>
        isNumber(column) && column.type !== 'category'
          ? { ...column, values: column.values.map((value) => Math.fround(value) * unit) }
          : column,
      );
    // Trees see an order only; a linear model sees numbers, which float32 rounds to 6e-8 of themselves in every unit.
    const tolerance = has(algorithm, 'n_estimators') ? 0 : 1e-5;
    expect(largestDifference(fittedOn(inUnits), plain)).toBeLessThanOrEqual(tolerance);
  });

  it('does not depend on the names of categories, but for their order among equals', () => {
    const names = new Map<string, string>();
    const city = train.columns.find(({ name }) => name === 'city')!;
    if (city.type === 'category')
      city.categories.forEach((name, code) => void names.set(name, `${(code * 5) % 7} ${name}`));
    const renamed = (table: Table) =>
      mapColumns(table, (column) =>
        column.name === 'city' && column.type === 'category'
          ? categoryColumn(
              'city',
              Array.from(column.codes, (code) => (code < 0 ? null : names.get(column.categories[code]!)!)),
            )
          : column,
      );
    // One-hot columns stand in another order, along which the solvers with L1 step.
    expect(largestDifference(fittedOn(renamed), plain)).toBeLessThanOrEqual(1e-5);
  });
});

describe.each(everyRegressor)('$algorithm', ({ algorithm, task }) => {
  it.each([2 ** 60, 1e20, 1e-20, 1e36, 1e-36])('predicts in the unit of the target, %d', (unit) => {
    const spec = { algorithm, task };
    const train = randomTable();
    const test = randomTable({ seed: 5 });
    const inUnits = mapColumns(train, (column) =>
      column.name === 'y' && column.type !== 'category'
        ? { ...column, values: column.values.map((value) => value * unit) }
        : column,
    );
    const outputs = outputsOf(fitted(inUnits, spec), test).map((value) => value / unit);
    // Leaves hold float32.
    expect(largestDifference(outputs, outputsOf(fitted(train, spec), test))).toBeLessThanOrEqual(1e-6);
  });
});

describe.each(everyClassifier)('classes of $algorithm with other names', ({ algorithm, task }) => {
  it.each(['binary', 'multiclass'] as const)('permute the probabilities of a %s target', (target) => {
    const train = randomTable({ target });
    const test = randomTable({ target, seed: 5 });
    const spec = { algorithm, task, hyperparameters: converged(algorithm) };
    const plain = fitted(train, spec);
    const nClasses = plain.classes!.length;
    const named = (names: readonly string[]) => {
      const renamed = mapColumns(train, (column) =>
        column.name === 'y' && column.type !== 'category'
          ? categoryColumn(
              'y',
              Array.from(column.values, (value) => names[plain.classes!.map(Number).indexOf(value)]!),
            )
          : column,
      );
      const model = fitted(renamed, spec);
      expect(model.classes).toEqual(names.slice(0, nClasses).sort());
      const outputs = outputsOf(model, test);
      const positions = names.slice(0, nClasses).map((name) => model.classes!.indexOf(name));
      return outputs.map((_, i) => outputs[i - (i % nClasses) + positions[i % nClasses]!]!);
    };
    const wanted = outputsOf(plain, test);
    expect(named(['', 'b', 'ß 🎈'])).toEqual(wanted);
    const permuted = named(['c 🎈', 'ä', 'b']);
    // Cuts of a forest are drawn in the order of categories by class, and equal gains are told apart by it.
    if (drawn.has(algorithm)) expect(meanDifference(permuted, wanted)).toBeLessThan(OTHER_DRAWS[task]);
    else expect(largestDifference(permuted, wanted)).toBeLessThanOrEqual(ROUNDING);
  });
});
