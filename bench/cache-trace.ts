/** Who asks for which model: Zipf traffic with a sweep through all models in the middle. */
import { Random } from '../src/ml/random.ts';

export interface CacheTrace {
  /** Number of the model, one a prediction. */
  readonly models: Int32Array;
  /** Which of the environments that share the traffic answers it. */
  readonly environments: Uint8Array;
  /** First prediction of the sweep, and one past its last. */
  readonly sweep: readonly [number, number];
}

export interface TraceSettings {
  readonly nModels: number;
  readonly nPredictions: number;
  readonly exponent: number;
  readonly nEnvironments: number;
}

export function cacheTrace({ nModels, nPredictions, exponent, nEnvironments }: TraceSettings): CacheTrace {
  const random = new Random(17);
  const byRank = random.shuffle(Int32Array.from({ length: nModels }, (_, i) => i));
  const cumulative = new Float64Array(nModels);
  let sum = 0;
  for (let rank = 0; rank < nModels; rank++) {
    sum += (rank + 1) ** -exponent;
    cumulative[rank] = sum;
  }
  const drawn = () => {
    const at = random.nextFloat() * sum;
    let low = 0;
    let high = nModels - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return byRank[low]!;
  };
  const half = nPredictions >> 1;
  const models = new Int32Array(nPredictions + nModels);
  for (let i = 0; i < models.length; i++) models[i] = i >= half && i < half + nModels ? i - half : drawn();
  const environments = Uint8Array.from(models, () => random.nextInt(nEnvironments));
  return { models, environments, sweep: [half, half + nModels] };
}
