import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/ml/explain/explain.ts';
import { categoryColumn, createTable, type Table } from '../../src/ml/table.ts';
import { importLightgbm } from '../../src/ml/tree/import/lightgbm.ts';
import { differences, expectClose, expectServedAlike, marginsOf } from './imported-models.ts';

interface Golden {
  readonly X: readonly (readonly (number | null)[])[];
  readonly codes: readonly number[];
  readonly kinds: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly text: string;
    readonly kind: 'missing' | 'complete' | 'codes' | 'pandas';
    readonly predictions: readonly number[];
    readonly margins: readonly number[];
    readonly contribs: readonly number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'goldens/lightgbm-models.json'), 'utf8'),
) as Golden;
const nRows = golden.X.length;
const bytes = (text: string) => new TextEncoder().encode(text);

function table(kind: Golden['cases'][number]['kind']): Table {
  const numbers = ['a', 'b', 'c', 'd'].map((name, j) => ({
    name,
    type: 'number' as const,
    values: Float64Array.from(golden.X, (row) => row[j] ?? Number.NaN),
  }));
  if (kind === 'pandas') {
    return createTable([
      ...numbers,
      categoryColumn(
        'kind',
        golden.codes.map((code) => golden.kinds[code]!),
      ),
    ]);
  }
  // As the script has it: codes with gaps, the first one missing.
  const codes = golden.codes.map((code, row) => (row === 0 ? null : String(code * 7 + 3)));
  return createTable(kind === 'codes' ? [...numbers, categoryColumn('kind', codes)] : numbers);
}

describe.each(golden.cases)('LightGBM model "$name"', (one) => {
  const rows = table(one.kind);
  const model = importLightgbm(bytes(one.text));
  // Margins and contributions are before the sigmoid's factor, and sums where a forest's prediction is a mean.
  const factor = one.name === 'binary with a steep sigmoid' ? 2.5 : one.name === 'forest' ? 1 / 4 : 1;
  const nScores = one.margins.length / nRows;

  it('predicts as LightGBM does', () => {
    const { values, probabilities } = model.predict(rows);
    const margins = nScores === 2 ? differences(one.margins) : one.margins.map((margin) => factor * margin);
    expectClose(marginsOf(model, rows), margins);
    if (values !== undefined) expectClose(values, one.predictions);
    else if (nScores > 1) expectClose(probabilities!, one.predictions);
    else
      expectClose(
        probabilities!.filter((_, i) => i % 2 === 1),
        one.predictions,
      );
  });

  it('predicts the same in onnxruntime and after a round trip as JSON', async () => {
    await expectServedAlike(model, rows);
  });

  it.runIf(nScores !== 2)('is explained as by pred_contrib', () => {
    const { base, values, nFeatures } = explain(model, rows);
    for (let row = 0; row < nRows; row++) {
      for (let k = 0; k < nScores; k++) {
        const at = row * nScores + k;
        const own = [...values.subarray(at * nFeatures, (at + 1) * nFeatures), base[k]!];
        for (const [j, value] of own.entries()) {
          // Leaves are rounded to float32.
          expect(Math.abs(value - factor * one.contribs[at * (nFeatures + 1) + j]!)).toBeLessThan(2e-6);
        }
      }
    }
  });
});

describe('an imported LightGBM model', () => {
  const text = (name: string) => golden.cases.find((one) => one.name === name)!.text;

  it('names categories by pandas, by the options, or by their codes', () => {
    const categories = (name: string, options = {}) =>
      importLightgbm(bytes(text(name)), options).features.at(-1)!.categories;
    expect(categories('pandas categories')).toEqual([...golden.kinds].sort());
    expect(categories('categories')).toEqual(['3', '10', '17', '24', '31', '38'].sort());
    const named = Array.from({ length: 39 }, (_, code) => `kind ${code}`);
    expect(categories('categories', { categories: { kind: named } })).toEqual([...named].sort());
  });

  it('needs a name for every code when there are names', () => {
    const short = () => importLightgbm(bytes(text('categories')), { categories: { kind: ['one', 'two'] } });
    expect(short).toThrow(/"kind" has category code .* but 2 names/);
  });

  it.each([
    ['objective=regression', 'objective=regression sqrt', 'UNSUPPORTED_OBJECTIVE'],
    ['objective=regression', 'objective=lambdarank', 'UNSUPPORTED_OBJECTIVE'],
    ['objective=regression\n', '', 'UNSUPPORTED_OBJECTIVE'],
    ['version=v4', 'version=v9', 'UNSUPPORTED_MODEL'],
    ['is_linear=0', 'is_linear=1', 'UNSUPPORTED_MODEL'],
    ['end of trees', '', 'MODEL_NOT_READABLE'],
    ['left_child=', 'left_child=9', 'MODEL_NOT_READABLE'],
    ['num_leaves=6', 'num_leaves=7', 'MODEL_NOT_READABLE'],
    ['tree\n', 'oak\n', 'MODEL_NOT_READABLE'],
    ['feature_names=a b', 'feature_names=a a', 'MODEL_NOT_READABLE'],
    ['max_feature_idx=3', 'max_feature_idx=4000000000', 'MODEL_NOT_READABLE'],
    ['num_tree_per_iteration=1', 'num_tree_per_iteration=3', 'MODEL_NOT_READABLE'],
  ])('is refused with %s replaced by %s', (from, to, code) => {
    const changed = text('regression').replace(from, to);
    expect(changed).not.toBe(text('regression'));
    expect(() => importLightgbm(bytes(changed))).toThrow(expect.objectContaining({ code }));
  });
});
