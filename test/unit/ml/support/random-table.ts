import { Random } from '../../../../src/ml/random.ts';
import { type Column, categoryColumn, createTable, type Table } from '../../../../src/ml/table.ts';

export const CITIES = ['Zürich', 'São Paulo', '東京', 'naïve 🎫', 'plain', '𝔘nicode', 'rare one'];

export interface RandomTableOptions {
  readonly nRows?: number;
  readonly seed?: number;
  readonly target?: 'binary' | 'text' | 'multiclass' | 'numeric';
}

/**
 * Numbers of several scales, booleans, dates and unicode categories, each with missing values, and a target that
 * depends on all of them.
 */
export function randomTable({ nRows = 400, seed = 7, target = 'numeric' }: RandomTableOptions = {}): Table {
  const random = new Random(seed);
  const small = new Float64Array(nRows);
  const large = new Float64Array(nRows);
  const flag = new Float64Array(nRows);
  const when = new Float64Array(nRows);
  const cities: (string | null)[] = [];
  const scores = new Float64Array(nRows);
  for (let i = 0; i < nRows; i++) {
    const city = Math.min(random.nextInt(CITIES.length + 2), CITIES.length - 2);
    const missing = (share: number) => random.nextFloat() < share;
    small[i] = random.nextFloat() * 4 - 2;
    large[i] = random.nextFloat() * 1e6;
    flag[i] = random.nextInt(2);
    when[i] = 1.6e12 + random.nextInt(1e9) * 100;
    scores[i] =
      2 * small[i]! +
      large[i]! / 4e5 +
      flag[i]! +
      (city % 3) +
      (when[i]! - 1.65e12) / 5e10 +
      random.nextFloat();
    cities.push(missing(0.05) ? null : i === 3 ? CITIES.at(-1)! : CITIES[city]!);
    if (missing(0.1)) small[i] = Number.NaN;
    if (missing(0.05)) large[i] = Number.NaN;
    if (missing(0.05)) flag[i] = Number.NaN;
    if (missing(0.05)) when[i] = Number.NaN;
  }
  return createTable([
    { name: 'small', type: 'number', values: small },
    { name: 'large', type: 'number', values: large },
    { name: 'flag', type: 'boolean', values: flag },
    { name: 'when', type: 'date', values: when },
    categoryColumn('city', cities),
    { name: 'constant', type: 'number', values: new Float64Array(nRows).fill(3) },
    { name: 'never', type: 'number', values: new Float64Array(nRows).fill(Number.NaN) },
    targetColumn(scores, target),
  ]);
}

function targetColumn(scores: Float64Array, target: NonNullable<RandomTableOptions['target']>): Column {
  const sorted = Float64Array.from(scores).sort();
  const quantile = (share: number) => sorted[Math.floor(share * sorted.length)]!;
  if (target === 'numeric') return { name: 'y', type: 'number', values: scores };
  if (target === 'binary') {
    return { name: 'y', type: 'boolean', values: scores.map((score) => (score > quantile(0.6) ? 1 : 0)) };
  }
  if (target === 'text') {
    return categoryColumn(
      'y',
      Array.from(scores, (score) => (score > quantile(0.4) ? 'yes ✓' : 'no')),
    );
  }
  return {
    name: 'y',
    type: 'number',
    values: scores.map((score) => (score < quantile(0.3) ? 10 : score < quantile(0.7) ? 20 : 40)),
  };
}
