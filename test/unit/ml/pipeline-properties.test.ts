/** Tables as people have them, and as nobody would wish: every algorithm fits them or says why not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/ml/random.ts';
import { type Column, categoryColumn, createTable, type Table } from '../../../src/ml/table.ts';
import { slice } from '../../support/proof.ts';
import {
  everyAlgorithm,
  everyClassifier,
  expectGraphAgrees,
  fewTrees,
  fitted,
  has,
  numberColumn,
  outputsOf,
} from './support/fitting.ts';

const SEED = 42;

function noise(nRows: number, seed = 3): Column & { type: 'number' } {
  const random = new Random(seed);
  return numberColumn(
    'x',
    Float64Array.from({ length: nRows }, () => random.nextFloat()),
  );
}

function texts(name: string, nRows: number, text: (row: number) => string | null): Column {
  return categoryColumn(
    name,
    Array.from({ length: nRows }, (_, row) => text(row)),
  );
}

function target(nRows: number, value: (row: number) => number): Column {
  return numberColumn(
    'y',
    Array.from({ length: nRows }, (_, row) => value(row)),
  );
}

describe.each(everyAlgorithm)('$algorithm for $task', ({ algorithm, task }) => {
  const spec = { algorithm, task, hyperparameters: fewTrees(algorithm) };

  async function expectSound(
    train: Table,
    hyperparameters: object = spec.hyperparameters,
  ): Promise<number[]> {
    const model = fitted(train, { ...spec, hyperparameters: { ...hyperparameters } });
    const outputs = outputsOf(model, train);
    expect(outputs.every(Number.isFinite)).toBe(true);
    await expectGraphAgrees(model, train);
    return outputs;
  }

  it('trains on any small table of finite numbers, missing values and text', async () => {
    const value = fc.option(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 }),
      { nil: Number.NaN },
    );
    // Halves of surrogate pairs among them; NUL is refused.
    const text = fc.option(
      fc.string({ unit: 'binary', maxLength: 4 }).map((one) => one.replaceAll('\0', '\ud800')),
      { nil: null },
    );
    const row = fc.tuple(value, value, text, fc.integer({ min: 0, max: 2 }));
    const hyperparameters = {
      ...spec.hyperparameters,
      ...(has(algorithm, 'min_samples_leaf') ? { min_samples_leaf: 1 } : {}),
    };
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 8, maxLength: 40 }), async (rows) => {
        await expectSound(
          createTable([
            numberColumn(
              'a',
              rows.map(([a]) => a),
            ),
            numberColumn(
              'b',
              rows.map(([, b]) => b),
            ),
            texts('c', rows.length, (i) => rows[i]![2]),
            target(rows.length, (i) => i % 3),
            { ...target(rows.length, (i) => (i < 2 ? i : rows[i]![3])), name: 'steady' },
          ]),
          hyperparameters,
        );
      }),
      { numRuns: slice(5, 15), seed: SEED },
    );
  });

  it('tells categories apart that only look alike, and takes the empty one for missing', async () => {
    const alike = [
      'é',
      'e\u0301',
      '𝔘',
      'U',
      'אב',
      'בא',
      '\u202eab',
      'ab',
      ' ',
      '\ufeff',
      '👨‍👩‍👧',
      '👨👩👧',
      '',
    ];
    const nRows = alike.length * 40;
    const train = createTable([
      texts('c', nRows, (row) => alike[row % alike.length]!),
      target(nRows, (row) => ((row % alike.length) % 2 === 0 ? 1 : 0)),
    ]);
    const hyperparameters = fewTrees(algorithm, 100);
    const outputs = await expectSound(train, hyperparameters);
    if (algorithm !== 'baseline') {
      const scores = task === 'classification' ? outputs.filter((_, i) => i % 2 === 1) : outputs;
      // Every one of the twelve is known: its rows are on the right side of one half, however alike their neighbours.
      expect(scores.filter((score, row) => score > 0.5 !== ((row % alike.length) % 2 === 0))).toEqual([]);
    }
    const model = fitted(train, { ...spec, hyperparameters });
    const [empty, missing] = ['', null].map((one) =>
      outputsOf(model, createTable([categoryColumn('c', [one])])),
    );
    expect(empty).toEqual(missing);
  });

  it('refuses a category with NUL by name, in fit and predict', () => {
    const table = (text: string) =>
      createTable([
        texts('c', 40, (row) => (row === 7 ? text : `k${row % 2}`)),
        target(40, (row) => row % 2),
      ]);
    const named = expect.objectContaining({
      code: 'CATEGORY_NOT_STORABLE',
      message: expect.stringMatching(/"c" holds "k\\u0000" in row 7/),
    });
    expect(() => fitted(table('k\0'), spec)).toThrowError(named);
    const model = fitted(table('k'), spec);
    expect(() => model.predict(table('k\0'))).toThrowError(named);
  });

  it('copes with 10,000 categories, and learns nothing from an identifier', async () => {
    const nRows = 10_000;
    const random = new Random(5);
    const identifier = texts('id', nRows, (row) => `row ${row}`);
    const outputs = outputsOf(
      fitted(createTable([identifier, target(nRows, () => random.nextInt(2))]), spec),
      createTable([identifier]),
    );
    // Every row gets the same answer.
    expect(new Set(task === 'classification' ? outputs.filter((_, i) => i % 2 === 1) : outputs).size).toBe(1);
    const pairs = texts('pair', 2 * nRows, (row) => `pair ${row >> 1}`);
    await expectSound(createTable([pairs, noise(2 * nRows), target(2 * nRows, (row) => (row >> 1) % 2)]));
  });

  it('leaves out columns that have no value, and says so where none has one', async () => {
    const nRows = 100;
    const nothing: Column[] = [
      numberColumn('number', new Float64Array(nRows).fill(Number.NaN)),
      { name: 'boolean', type: 'boolean', values: new Float64Array(nRows).fill(Number.NaN) },
      { name: 'date', type: 'date', values: new Float64Array(nRows).fill(Number.NaN) },
      texts('text', nRows, () => null),
    ];
    const y = target(nRows, (row) => (row * 7) % 2);
    await expectSound(createTable([...nothing, noise(nRows), y]));
    expect(() => fitted(createTable([...nothing, y]), spec)).toThrowError(
      expect.objectContaining({ code: 'ALL_FEATURES_MISSING' }),
    );
  });

  it('gives the same answer to rows that differ in their target only', async () => {
    const nRows = 300;
    const train = createTable([
      numberColumn('x', new Float64Array(nRows).fill(1)),
      texts('c', nRows, () => 'k'),
      target(nRows, (row) => (row % 3 === 0 ? 1 : 0)),
    ]);
    const outputs = await expectSound(train);
    const ofOnes = task === 'classification' ? outputs.filter((_, i) => i % 2 === 1) : outputs;
    expect(new Set(ofOnes).size).toBe(1);
    // A third of the rows; five bootstraps of 300 rows are off by 0.012 on average.
    expect(ofOnes[0]).toBeCloseTo(1 / 3, algorithm === 'random_forest' ? 1 : 4);
  });

  it('copes with more columns than rows', async () => {
    const nRows = 30;
    const columns = Array.from({ length: 200 }, (_, k) => ({ ...noise(nRows, k), name: `x${k}` }));
    await expectSound(createTable([...columns, target(nRows, (row) => row % 2)]));
  });

  it('copes with two rows', async () => {
    const train = createTable([
      numberColumn('x', [1, 2]),
      categoryColumn('c', ['a', 'b']),
      target(2, (row) => row),
    ]);
    await expectSound(train);
  });

  it.each([
    [20, 'CONSTANT_TARGET', /"y" has 1 distinct value\(s\).* in 20 rows/],
    [1, 'INSUFFICIENT_SAMPLES', /n_samples=1 .* must be >= min_samples=2/],
    [0, 'INSUFFICIENT_SAMPLES', /n_samples=0 .* must be >= min_samples=2/],
  ])('refuses %d rows of one class: %s', (nRows, code, message) => {
    const train = createTable([noise(nRows), target(nRows, () => 1)]);
    expect(() => fitted(train, spec)).toThrowError(
      expect.objectContaining({ name: 'TrainingError', code, message: expect.stringMatching(message) }),
    );
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.5e38])(
    'refuses %d in feature and target by name and row',
    (value) => {
      const infinite = (column: Column & { type: 'number' }) => ({
        ...column,
        values: column.values.with(5, value),
      });
      const x = noise(50);
      const y = numberColumn('y', x.values.map(Math.round));
      for (const [train, name] of [
        [createTable([infinite(x), y]), 'feature "x"'],
        [createTable([x, infinite(y)]), 'target "y"'],
      ] as const) {
        const message = expect.stringMatching(new RegExp(`${name} holds .* in row 5`));
        expect(() => fitted(train, spec)).toThrowError(
          expect.objectContaining({ code: 'INFINITE_VALUE', message }),
        );
      }
    },
  );
});

describe.each(everyClassifier)('$algorithm', ({ algorithm, task }) => {
  const spec = { algorithm, task };

  it('knows a class of one row among 5,000', async () => {
    const nRows = 5000;
    const train = createTable([noise(nRows), target(nRows, (row) => (row === 77 ? 1 : 0))]);
    const weights = has(algorithm, 'class_weight') ? [null, 'balanced'] : [undefined];
    for (const class_weight of weights) {
      const model = fitted(train, { ...spec, hyperparameters: { ...fewTrees(algorithm), class_weight } });
      const outputs = outputsOf(model, train);
      expect(model.classes).toEqual([0, 1]);
      expect(outputs.every((probability) => probability >= 0 && probability <= 1)).toBe(true);
      await expectGraphAgrees(model, train);
    }
  });

  it('tells 300 classes apart, and adds their probabilities up to 1', async () => {
    const nRows = 900;
    const train = createTable([
      numberColumn(
        'x',
        Array.from({ length: nRows }, (_, row) => row % 300),
      ),
      texts('c', nRows, (row) => `c${row % 300}`),
      texts('y', nRows, (row) => `class ${row % 300}`),
    ]);
    const few = has(algorithm, 'learning_rate') ? { n_estimators: 1 } : fewTrees(algorithm);
    const model = fitted(train, { ...spec, hyperparameters: few });
    expect(model.classes!.length).toBe(300);
    const outputs = outputsOf(model, train);
    for (let row = 0; row < nRows; row++) {
      const sum = outputs.slice(row * 300, (row + 1) * 300).reduce((total, one) => total + one, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    }
    await expectGraphAgrees(model, train);
  });
});

describe.each(everyClassifier.filter(({ algorithm }) => has(algorithm, 'class_weight')))(
  'class_weight of $algorithm',
  ({ algorithm, task }) => {
    it('balanced moves the mean probability of a rare class to one half', () => {
      const nRows = 600;
      const train = createTable([noise(nRows, 8), target(nRows, (row) => (row % 10 === 0 ? 1 : 0))]);
      const meanOf = (extra: object) => {
        // Large leaves, or a forest learns its rows by heart.
        const leaves = has(algorithm, 'min_samples_leaf') ? { min_samples_leaf: 100 } : {};
        const hyperparameters = { ...fewTrees(algorithm, 3), ...leaves, ...extra };
        const outputs = outputsOf(fitted(train, { algorithm, task, hyperparameters }), train);
        return outputs.reduce((sum, value, i) => sum + (i % 2 === 1 ? value : 0), 0) / nRows;
      };
      expect(meanOf({})).toBeCloseTo(0.1, 1);
      expect(meanOf({ class_weight: 'balanced' })).toBeCloseTo(0.5, 1);
    });
  },
);
