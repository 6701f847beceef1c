import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { algorithms, resolveHyperparameters } from '../../../src/ml/algorithms.ts';
import { fitPipeline } from '../../../src/ml/pipeline.ts';
import { randomTable } from './support/random-table.ts';

describe('the catalogue', () => {
  it('has a default inside the range of every hyperparameter', () => {
    for (const { name, hyperparameters } of algorithms) {
      const defaults = Object.fromEntries(hyperparameters.map((one) => [one.name, one.default]));
      expect(resolveHyperparameters(name, defaults)).toEqual(resolveHyperparameters(name, {}));
    }
  });

  it('is plain data', () => {
    expect(JSON.parse(JSON.stringify(algorithms))).toEqual(algorithms);
  });
});

describe('the documentation', () => {
  const read = (page: string) => readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');

  it.each(algorithms)('has a page of $name that names all that can be set', ({ name, hyperparameters }) => {
    const page = read(`algorithms/${name}.md`);
    const names = hyperparameters.flatMap((one) => [one.name, ...(one.aliases ?? [])]);
    expect(names.filter((one) => !page.includes(`\`${one}\``))).toEqual([]);
    expect(read('algorithms.md')).toContain(`(algorithms/${name}.md)`);
  });
});

describe('resolveHyperparameters', () => {
  it('takes an alias under the first name', () => {
    expect(resolveHyperparameters('gradient_boosting', { max_iter: 7 })).toMatchObject({ n_estimators: 7 });
  });

  it('refuses a hyperparameter that is given twice under two names', () => {
    expect(() => resolveHyperparameters('gradient_boosting', { max_iter: 7, n_estimators: 8 })).toThrowError(
      /same/,
    );
  });

  it('names the nearest hyperparameter and algorithm for an unknown name', () => {
    expect(() => resolveHyperparameters('gradient_boosting', { learning_rat: 0.1 })).toThrowError(
      /did you mean "learning_rate"/,
    );
    expect(() => resolveHyperparameters('gradient_bosting', {})).toThrowError(
      /did you mean "gradient_boosting"/,
    );
  });

  it('does not take a name that objects have by themselves', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(() => resolveHyperparameters('ridge', JSON.parse(`{"${name}": 1}`))).toThrowError(
        /no hyperparameter/,
      );
    }
  });

  it.each([
    ['gradient_boosting', 'n_estimators', 0],
    ['gradient_boosting', 'n_estimators', 1.5],
    ['gradient_boosting', 'n_estimators', '100'],
    ['gradient_boosting', 'learning_rate', 0],
    ['gradient_boosting', 'learning_rate', Number.NaN],
    ['gradient_boosting', 'max_bins', 256],
    ['gradient_boosting', 'min_samples_leaf', null],
    ['gradient_boosting', 'class_weight', 'heavy'],
    ['logistic_regression', 'C', 0],
    ['logistic_regression', 'tol', {}],
    ['ridge', 'alpha', -1],
  ])('refuses %s with %s=%s, stating the rule', (algorithm, name, value) => {
    expect(() => resolveHyperparameters(algorithm, { [name]: value })).toThrowError(
      expect.objectContaining({
        code: 'INVALID_HYPERPARAMETER',
        message: expect.stringMatching(new RegExp(`^${name}=.* must be .*; the default is `)),
        errors: [expect.objectContaining({ pointer: `/hyperparameters/${name}` })],
      }),
    );
  });

  it.each([
    [{ beta: 2 }, 'UNKNOWN_HYPERPARAMETER', ['beta']],
    [{ beta: 2, alpha: -1 }, 'UNKNOWN_HYPERPARAMETER', ['beta', 'alpha']],
    [{ alpha: -1, beta: 2 }, 'INVALID_HYPERPARAMETER', ['alpha', 'beta']],
  ])('gives for %j the code of the first problem and the place of each', (given, code, names) => {
    expect(() => resolveHyperparameters('ridge', given)).toThrowError(
      expect.objectContaining({
        code,
        errors: names.map((name) => expect.objectContaining({ pointer: `/hyperparameters/${name}` })),
      }),
    );
  });

  it('says INVALID_HYPERPARAMETER for one that is given under two names', () => {
    expect(() => resolveHyperparameters('gradient_boosting', { max_iter: 7, n_estimators: 8 })).toThrowError(
      expect.objectContaining({ code: 'INVALID_HYPERPARAMETER' }),
    );
  });

  it('reports every problem at once', () => {
    try {
      resolveHyperparameters('ridge', { alpha: -1, beta: 2 });
      expect.unreachable();
    } catch (error) {
      expect((error as { errors: unknown[] }).errors).toHaveLength(2);
    }
  });

  it('takes null where null has a meaning', () => {
    expect(resolveHyperparameters('gradient_boosting', { max_depth: null })).toMatchObject({
      max_depth: null,
    });
  });
});

describe('an algorithm for the wrong task', () => {
  it.each([
    ['ridge', 'classification'],
    ['logistic_regression', 'regression'],
  ] as const)('%s refuses %s and names what fits', (algorithm, task) => {
    const spec = { task, target: 'y', algorithm, hyperparameters: {}, randomState: 0 };
    expect(() => fitPipeline(randomTable(), spec)).toThrowError(
      expect.objectContaining({
        code: 'ALGORITHM_TASK_MISMATCH',
        message: expect.stringContaining('gradient_boosting'),
      }),
    );
  });
});
