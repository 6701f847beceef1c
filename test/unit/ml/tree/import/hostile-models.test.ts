/** Model files that something happened to: whatever it was, the answer is a model that works, or an error of ours. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ValidationError } from '../../../../../src/errors.ts';
import { explain } from '../../../../../src/ml/explain/explain.ts';
import { exportOnnx } from '../../../../../src/ml/onnx/export-onnx.ts';
import { Random } from '../../../../../src/ml/random.ts';
import { categoryColumn, createTable, type Table } from '../../../../../src/ml/table.ts';
import type { BoostingPipelineModel } from '../../../../../src/ml/tree/boosting-pipeline.ts';
import { importLightgbm } from '../../../../../src/ml/tree/import/lightgbm.ts';
import { importXgboost } from '../../../../../src/ml/tree/import/xgboost.ts';

/** More in a campaign by hand: FUZZ_ROUNDS=20000. */
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);

const goldens = join(import.meta.dirname, '../../../../parity/goldens');
const cases = (file: string, names: readonly string[]) =>
  (
    JSON.parse(readFileSync(join(goldens, file), 'utf8')) as {
      cases: { name: string; json: string; ubjson: string; text: string }[];
    }
  ).cases.filter(({ name }) => names.includes(name));

const options = { categories: { kind: ['zero', 'one', 'two', 'three', 'four', 'five'] } };
const xgboost = cases('xgboost-models.json', ['binary', 'dart, three classes', 'categories']);
const lightgbm = cases('lightgbm-models.json', ['three classes', 'zeros as missing', 'categories']);
const sources = [
  ...xgboost.map(({ name, json }) => ({
    name: `XGBoost JSON, ${name}`,
    bytes: new TextEncoder().encode(json),
    read: (bytes: Uint8Array) => importXgboost(bytes, options),
  })),
  ...xgboost.map(({ name, ubjson }) => ({
    name: `XGBoost UBJSON, ${name}`,
    bytes: new Uint8Array(Buffer.from(ubjson, 'base64')),
    read: (bytes: Uint8Array) => importXgboost(bytes, options),
  })),
  ...lightgbm.map(({ name, text }) => ({
    name: `LightGBM, ${name}`,
    bytes: new TextEncoder().encode(text),
    read: (bytes: Uint8Array) => importLightgbm(bytes),
  })),
];

/** A few rows of whatever features the model asks for. */
function rowsFor(model: BoostingPipelineModel): Table {
  return createTable(
    model.features.map(({ name, type }, i) =>
      type === 'category'
        ? categoryColumn(name, ['zero', null, '10', 'unheard of'])
        : { name, type: 'number' as const, values: Float64Array.of(i, Number.NaN, -1e30, 1e-35) },
    ),
  );
}

function expectUsable(model: BoostingPipelineModel): void {
  const rows = rowsFor(model);
  const { values, probabilities } = model.predict(rows);
  expect((values ?? probabilities)!.length).toBeGreaterThan(0);
  explain(model, rows);
  exportOnnx(model);
}

/** @returns whether it was read */
function readOrRefused(read: () => BoostingPipelineModel): boolean {
  let model: BoostingPipelineModel;
  try {
    model = read();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return false;
  }
  expectUsable(model);
  return true;
}

const mutations: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  'with flipped bits': (bytes, random) => {
    const changed = bytes.slice();
    for (let i = 0; i <= random.nextInt(4); i++)
      changed[random.nextInt(bytes.length)]! ^= 1 << random.nextInt(8);
    return changed;
  },
  'cut off': (bytes, random) => bytes.slice(0, random.nextInt(bytes.length)),
  'with a piece taken out': (bytes, random) => {
    const start = random.nextInt(bytes.length);
    const end = start + random.nextInt(40);
    return Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)]);
  },
  'with a piece twice': (bytes, random) => {
    const start = random.nextInt(bytes.length);
    const end = start + random.nextInt(2000);
    return Uint8Array.from([...bytes.subarray(0, end), ...bytes.subarray(start)]);
  },
  'with other digits': (bytes, random) => {
    const changed = bytes.slice();
    for (let tries = 0; tries < 200; tries++) {
      const at = random.nextInt(bytes.length);
      const isDigit = changed[at]! >= 0x30 && changed[at]! <= 0x39;
      if (isDigit) changed[at] = '0123456789-e. '.charCodeAt(random.nextInt(14));
      if (isDigit && random.nextInt(3) === 0) break;
    }
    return changed;
  },
};

describe.each(sources)('$name', ({ bytes, read }) => {
  it('is usable as it is', () => {
    expectUsable(read(bytes));
  });

  it.each(Object.keys(mutations))('%s is a model or a ValidationError', (mutation) => {
    const random = new Random(20240612);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const changed = mutations[mutation]!(bytes, random);
      if (!readOrRefused(() => read(changed))) refused++;
    }
    // Otherwise nothing was tried.
    expect(refused).toBeGreaterThan(0);
  });
});
