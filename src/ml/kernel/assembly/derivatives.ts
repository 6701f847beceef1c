import { exponential, exponentialPair, INTEGER_MAGIC } from './exponential';
import {
  LOSS_ABSOLUTE, LOSS_BINARY, LOSS_POISSON, LOSS_QUANTILE, LOSS_SOFTMAX, LOSS_SOFTMAX_CLASS, P_CHUNK_ROWS, P_CLASS,
  P_CONSTANT_HESSIAN, P_COUNT_BITS, P_GRADIENTS, P_GRADIENT_SCALE, P_HESSIANS, P_HESSIAN_BITS, P_HESSIAN_SCALE,
  P_IN_SAMPLE, P_LOSS, P_N_CLASSES, P_N_ROWS, P_PACKED, P_PARTIALS, P_QUANTILE, P_SCORES, P_SEED, P_STOCHASTIC,
  P_TARGET, P_TARGET_UNIT, P_WEIGHTS,
} from './layout';

/**
 * First and second derivatives of the loss for a chunk of rows as float32, and the chunk's sums of |g| and h over the
 * rows in the sample. Chunks have a fixed size, so the sums do not depend on the number of threads.
 */
export function derivativesTask(chunk: u32): void {
  const loss = load<u32>(P_LOSS);
  const nRows = load<u32>(P_N_ROWS);
  const from = chunk * load<u32>(P_CHUNK_ROWS);
  const to = min<u32>(from + load<u32>(P_CHUNK_ROWS), nRows);
  if (loss == LOSS_SOFTMAX) {
    softmax(from, to, nRows);
    return;
  }
  if (loss == LOSS_BINARY) binary(from, to);
  else if (loss == LOSS_SOFTMAX_CLASS) softmaxClass(from, to);
  else if (loss == LOSS_POISSON) poisson(from, to);
  else residual(from, to, loss);
  const weights = <usize>load<u32>(P_WEIGHTS);
  if (weights != 0) scale(from, to, weights);
  sumUp(chunk, from, to);
}

function binary(from: u32, to: u32): void {
  const scores = <usize>load<u32>(P_SCORES);
  const target = <usize>load<u32>(P_TARGET);
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  // Chunks begin at even rows, and the lists have room for one more row than there are.
  for (let i = <usize>from; i < <usize>to; i += 2) {
    const odds = exponentialPair(f64x2.neg(v128.load(scores + (i << 3))));
    const one = f64x2.splat(1);
    const probability = f64x2.div(one, f64x2.add(one, odds));
    const gradient = f64x2.sub(probability, v128.load(target + (i << 3)));
    const hessian = f64x2.mul(probability, f64x2.sub(one, probability));
    v128.store64_lane(gradients + (i << 2), f32x4.demote_f64x2_zero(gradient), 0);
    v128.store64_lane(hessians + (i << 2), f32x4.demote_f64x2_zero(hessian), 0);
  }
}

function poisson(from: u32, to: u32): void {
  const scores = <usize>load<u32>(P_SCORES);
  const target = <usize>load<u32>(P_TARGET);
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  for (let i = <usize>from; i < <usize>to; i++) {
    const mean = exponential(load<f64>(scores + (i << 3)));
    store<f32>(gradients + (i << 2), <f32>(mean - load<f64>(target + (i << 3))));
    store<f32>(hessians + (i << 2), <f32>mean);
  }
}

/** Losses of the difference between score and target; their hessian is taken as 1. */
function residual(from: u32, to: u32, loss: u32): void {
  const scores = <usize>load<u32>(P_SCORES);
  const target = <usize>load<u32>(P_TARGET);
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  const quantile = load<f64>(P_QUANTILE);
  const unit = load<f64>(P_TARGET_UNIT);
  const constant = load<u32>(P_CONSTANT_HESSIAN) != 0;
  for (let i = <usize>from; i < <usize>to; i++) {
    const difference = load<f64>(scores + (i << 3)) - load<f64>(target + (i << 3));
    let gradient = difference * unit;
    if (loss == LOSS_ABSOLUTE) gradient = difference > 0 ? 1.0 : difference < 0 ? -1.0 : 0.0;
    else if (loss == LOSS_QUANTILE) gradient = difference >= 0 ? 1.0 - quantile : -quantile;
    store<f32>(gradients + (i << 2), <f32>gradient);
    if (!constant) store<f32>(hessians + (i << 2), 1);
  }
}

/** Probabilities of all classes, float32 column-major nRows × nClasses, into `P_HESSIANS`. */
function softmax(from: u32, to: u32, nRows: u32): void {
  const scores = <usize>load<u32>(P_SCORES);
  const out = <usize>load<u32>(P_HESSIANS);
  const nClasses = <usize>load<u32>(P_N_CLASSES);
  const n = <usize>nRows;
  for (let i = <usize>from; i < <usize>to; i++) {
    let largest = load<f64>(scores + (i << 3));
    for (let k: usize = 1; k < nClasses; k++) largest = max<f64>(largest, load<f64>(scores + ((k * n + i) << 3)));
    let sum: f64 = 0;
    for (let k: usize = 0; k < nClasses; k++) {
      const value = exponential(load<f64>(scores + ((k * n + i) << 3)) - largest);
      sum += value;
      store<f32>(out + ((k * n + i) << 2), <f32>value);
    }
    const factor = <f32>(1.0 / sum);
    for (let k: usize = 0; k < nClasses; k++) {
      const at = out + ((k * n + i) << 2);
      store<f32>(at, load<f32>(at) * factor);
    }
  }
}

/** Derivatives of one class from its probabilities, which `P_SCORES` points to; targets are class numbers. */
function softmaxClass(from: u32, to: u32): void {
  const probabilities = <usize>load<u32>(P_SCORES);
  const target = <usize>load<u32>(P_TARGET);
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  const classNumber = <f64>load<u32>(P_CLASS);
  for (let i = <usize>from; i < <usize>to; i++) {
    const probability = load<f32>(probabilities + (i << 2));
    const truth: f32 = load<f64>(target + (i << 3)) == classNumber ? 1 : 0;
    store<f32>(gradients + (i << 2), probability - truth);
    store<f32>(hessians + (i << 2), probability * (1 - probability));
  }
}

function scale(from: u32, to: u32, weights: usize): void {
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  for (let i = <usize>from; i < <usize>to; i++) {
    const weight = load<f32>(weights + (i << 2));
    store<f32>(gradients + (i << 2), load<f32>(gradients + (i << 2)) * weight);
    store<f32>(hessians + (i << 2), load<f32>(hessians + (i << 2)) * weight);
  }
}

function sumUp(chunk: u32, from: u32, to: u32): void {
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  const inSample = <usize>load<u32>(P_IN_SAMPLE);
  const constant = load<u32>(P_CONSTANT_HESSIAN) != 0;
  let absolute: f64 = 0;
  let hessian: f64 = 0;
  let i = <usize>from;
  if (inSample == 0) {
    // Four sums of every fourth row: in an order of their own, but always the same one.
    const fours = <usize>from + ((<usize>to - <usize>from) & ~3);
    let absolutes0 = f64x2.splat(0);
    let absolutes1 = f64x2.splat(0);
    let hessians0 = f64x2.splat(0);
    let hessians1 = f64x2.splat(0);
    for (; i < fours; i += 4) {
      const g = f32x4.abs(v128.load(gradients + (i << 2)));
      absolutes0 = f64x2.add(absolutes0, f64x2.promote_low_f32x4(g));
      absolutes1 = f64x2.add(absolutes1, f64x2.promote_low_f32x4(i64x2.shuffle(g, g, 1, 0)));
      if (!constant) {
        const h = v128.load(hessians + (i << 2));
        hessians0 = f64x2.add(hessians0, f64x2.promote_low_f32x4(h));
        hessians1 = f64x2.add(hessians1, f64x2.promote_low_f32x4(i64x2.shuffle(h, h, 1, 0)));
      }
    }
    const absolutes = f64x2.add(absolutes0, absolutes1);
    const hessianSums = f64x2.add(hessians0, hessians1);
    absolute = f64x2.extract_lane(absolutes, 0) + f64x2.extract_lane(absolutes, 1);
    hessian = f64x2.extract_lane(hessianSums, 0) + f64x2.extract_lane(hessianSums, 1);
  }
  for (; i < <usize>to; i++) {
    if (inSample != 0 && load<u8>(inSample + i) == 0) continue;
    absolute += <f64>abs<f32>(load<f32>(gradients + (i << 2)));
    if (!constant) hessian += <f64>load<f32>(hessians + (i << 2));
  }
  const partial = <usize>load<u32>(P_PARTIALS) + (<usize>chunk << 5);
  store<f64>(partial, absolute);
  store<f64>(partial, hessian, 8);
}

/** Uniform in [0, 1), a function of row and seed alone. */
@inline
function noise(row: u32, seed: u32): f64 {
  let x = row * 0x9e3779b1 + seed;
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return <f64>(x ^ (x >> 16)) * 2.3283064365386963e-10;
}

/**
 * Derivatives as integers, packed into one int64 a row: gradient, hessian, and 1 for a row in the sample. Sums of
 * packed rows are exact while each field keeps to its bits, which the scales see to. Rounded to nearest, or at random
 * in proportion where an integer holds few digits, so that sums of many rows are right on average.
 */
export function quantizeTask(chunk: u32): void {
  const from = chunk * load<u32>(P_CHUNK_ROWS);
  const to = min<u32>(from + load<u32>(P_CHUNK_ROWS), load<u32>(P_N_ROWS));
  const gradients = <usize>load<u32>(P_GRADIENTS);
  const hessians = <usize>load<u32>(P_HESSIANS);
  const packed = <usize>load<u32>(P_PACKED);
  const inSample = <usize>load<u32>(P_IN_SAMPLE);
  const constant = load<u32>(P_CONSTANT_HESSIAN) != 0;
  const countBits = <i64>load<u32>(P_COUNT_BITS);
  const lowBits = countBits + <i64>load<u32>(P_HESSIAN_BITS);
  const gradientScale = load<f64>(P_GRADIENT_SCALE);
  const hessianScale = load<f64>(P_HESSIAN_SCALE);
  const stochastic = load<u32>(P_STOCHASTIC) != 0;
  const seed = load<u32>(P_SEED);
  let total: i64 = 0;
  let i = <usize>from;
  if (inSample == 0 && !constant) {
    // Two rows at once, to the same bits as one after the other.
    const pairs = <usize>from + ((<usize>to - <usize>from) & ~1);
    let totals = i64x2.splat(0);
    const magic = f64x2.splat(INTEGER_MAGIC);
    for (; i < pairs; i += 2) {
      let g = f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(gradients + (i << 2))), f64x2.splat(gradientScale));
      let h = f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(hessians + (i << 2))), f64x2.splat(hessianScale));
      if (stochastic) {
        const u = f64x2.replace_lane(f64x2.splat(noise(<u32>i, seed)), 1, noise(<u32>i + 1, seed));
        g = f64x2.floor(f64x2.add(g, u));
        h = f64x2.floor(f64x2.add(h, f64x2.sub(f64x2.splat(1), u)));
      }
      const gradient = i64x2.shl(i64x2.sub(f64x2.add(g, magic), magic), <i32>lowBits);
      const hessian = i64x2.shl(i64x2.sub(f64x2.add(h, magic), magic), <i32>countBits);
      const value = i64x2.add(i64x2.add(gradient, hessian), i64x2.splat(1));
      v128.store(packed + (i << 3), value);
      totals = i64x2.add(totals, value);
    }
    total = i64x2.extract_lane(totals, 0) + i64x2.extract_lane(totals, 1);
  }
  for (; i < <usize>to; i++) {
    if (inSample != 0 && load<u8>(inSample + i) == 0) {
      store<i64>(packed + (i << 3), 0);
      continue;
    }
    const g = <f64>load<f32>(gradients + (i << 2)) * gradientScale;
    const u = stochastic ? noise(<u32>i, seed) : 0;
    let value = ((stochastic ? <i64>floor(g + u) : <i64>nearest(g)) << lowBits) + 1;
    if (!constant) {
      const h = <f64>load<f32>(hessians + (i << 2)) * hessianScale;
      value += (stochastic ? <i64>floor(h + (1.0 - u)) : <i64>nearest(h)) << countBits;
    }
    store<i64>(packed + (i << 3), value);
    total += value;
  }
  store<i64>(<usize>load<u32>(P_PARTIALS) + (<usize>chunk << 5), total, 16);
}
