/** The generated set: 500,000 rows of 28 float32 features, 21 of noise and 7 noisy products, with 2 or 7 classes. */
import { type Column, categoryColumn, type Table } from '../src/ml/table.ts';

const N_ROWS = 500_000;
const N_BASE = 21;
const N_PRODUCTS = 7;

/** Sums of four draws of xorshift32, seeded as in the shared generator, so that its rows come out. */
export function synthTable(nClasses: 2 | 7, nRows = N_ROWS): Table {
  let state = 2463534242;
  const uniform = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const noise = () => uniform() + uniform() + uniform() + uniform() - 2;
  const features = Array.from({ length: N_BASE + N_PRODUCTS }, () => new Float64Array(nRows));
  const labels: string[] = [];
  for (let row = 0; row < nRows; row++) {
    const at = (j: number) => features[j]![row]!;
    for (let j = 0; j < N_BASE; j++) features[j]![row] = Math.fround(noise());
    for (let j = 0; j < N_PRODUCTS; j++) {
      features[N_BASE + j]![row] = Math.fround(at(j) * at(j + N_PRODUCTS) + 0.3 * noise());
    }
    const signal =
      1.6 * at(0) * at(1) +
      1.2 * Math.abs(at(2)) -
      0.7 * at(3) +
      (at(4) > 0.3 ? 0.8 : -0.2) * at(5) +
      0.9 * at(21) -
      0.6 * at(24) -
      0.55;
    // Both targets draw in every row, so that the features are those of either.
    const binary = uniform() < 1 / (1 + Math.exp(-3 * signal)) ? 1 : 0;
    const multi = Math.max(0, Math.min(6, Math.floor(3.5 + 2.2 * signal + 1.2 * noise())));
    labels.push(String(nClasses === 2 ? binary : multi));
  }
  const columns: Column[] = features.map((values, j) => ({ name: `f${j}`, type: 'number', values }));
  return { nRows, columns: [...columns, categoryColumn('target', labels)] };
}
