import { Tree } from './forest-tree';
import {
  CRITERION_TWO_CLASSES, P_WEIGHTS,
} from './layout';

/** Square of the sum over the weight, for one side: the larger over both sides, the purer they are. */
@inline
export function score(sum: f64, count: f64): f64 {
  if (Tree.criterion == CRITERION_TWO_CLASSES) {
    const positive = Tree.weight1 * sum;
    const negative = Tree.weight0 * (count - sum);
    return (positive * positive + negative * negative) / (positive + negative);
  }
  return (sum * sum) / count;
}

export function classScore(counts: usize): f64 {
  const weights = <usize>load<u32>(P_WEIGHTS);
  let squares: f64 = 0;
  let weight: f64 = 0;
  for (let k: usize = 0; k < <usize>Tree.nClasses; k++) {
    const own = load<f64>(counts + (k << 3)) * load<f64>(weights + (k << 3));
    squares += own * own;
    weight += own;
  }
  return squares / weight;
}
