/** What the tests of imported models share. */
import { expect } from 'vitest';
import { pipelineFromJSON } from '../../src/ml/pipeline.ts';
import type { Table } from '../../src/ml/table.ts';
import type { BoostingPipelineModel } from '../../src/ml/tree/boosting-pipeline.ts';
import { runOnnx } from './onnx-session.ts';

/** Ours rounds leaves to float32, XGBoost its sums, too: the rounding of some ten numbers of about one. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const isClose = Math.abs(actual[i]! - expected[i]!) <= 1e-5 * Math.abs(expected[i]!) + 1e-6;
    if (!isClose) expect.fail(`value ${i} is ${actual[i]}, not ${expected[i]}`);
  }
}

/** Scores, row-major. */
export function marginsOf(model: BoostingPipelineModel, rows: Table): Float64Array {
  const scores = model.scores(rows);
  return Float64Array.from({ length: rows.nRows * scores.length }, (_, i) => {
    return scores[i % scores.length]![Math.floor(i / scores.length)]!;
  });
}

export async function expectServedAlike(model: BoostingPipelineModel, rows: Table): Promise<void> {
  const outputs = await runOnnx(model, rows);
  const { values, probabilities } = model.predict(rows);
  expectClose((outputs.prediction ?? outputs.probabilities)!.data as Float32Array, values ?? probabilities!);
  const again = pipelineFromJSON(JSON.parse(JSON.stringify(model.toJSON())));
  expect(again.predict(rows)).toEqual(model.predict(rows));
}

/** Two scores per row as their difference. */
export function differences(margins: readonly number[]): Float64Array {
  return Float64Array.from(
    { length: margins.length / 2 },
    (_, row) => margins[2 * row + 1]! - margins[2 * row]!,
  );
}
