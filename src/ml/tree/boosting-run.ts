/** One boosting fit at work: its memory, its threads, and the trees so far. */
import {
  JOB_DERIVATIVES,
  JOB_QUANTIZE,
  LOSS_BINARY,
  LOSS_SOFTMAX,
  LOSS_SOFTMAX_CLASS,
  P_CHUNK_ROWS,
  P_CLASS,
  P_CONSTANT_HESSIAN,
  P_COUNT_BITS,
  P_GRADIENT_SCALE,
  P_GRADIENTS,
  P_HESSIAN_BITS,
  P_HESSIAN_SCALE,
  P_HESSIANS,
  P_IN_SAMPLE,
  P_LOSS,
  P_N_CLASSES,
  P_N_ROWS,
  P_PACKED,
  P_PARTIALS,
  P_QUANTILE,
  P_SCORES,
  P_SEED,
  P_STOCHASTIC,
  P_TARGET,
  P_TARGET_UNIT,
  P_WEIGHTS,
} from '../kernel/assembly/layout.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { ParallelExecutor } from '../parallel-executor.ts';
import { Random } from '../random.ts';
import { binColumns, type TreeColumn } from './binned-matrix.ts';
import { CHUNK_ROWS, PARTIAL_BYTES, planBoosting, type RunPlace } from './boosting-memory.ts';
import type { BoostingOptions } from './boosting-options.ts';
import { type GrowerPlace, type RootSums, TreeGrower } from './grower.ts';
import type { Loss } from './loss.ts';
import { restoreMonotony } from './monotonic-leaves.ts';
import { quantileOf } from './quantile.ts';
import { type TreeEnsemble, TreeEnsembleBuilder } from './tree.ts';

/** Share of the sum of squared gradients below which a gain is rounding of sums, not information. */
const NEGLIGIBLE_GAIN = 1e-12;
/** Mean of an integer derivative above which rounding to the nearest is as good as rounding at random. */
const FINE_ENOUGH = 64;
/**
 * How far sums may drift by rounding at random, in square roots of the number of rows: by more than this with a chance
 * below e^-128 (Hoeffding 1963). One unit a row, the worst case, would leave no bits for millions of rows.
 */
const ROUNDING_DEVIATIONS = 8;
/** Share of an integer's range that may be kept free without loss worth the name. */
const AMPLE = 0.25;
/** Residuals beyond this are scaled, lest their float32 overflow. */
const HUGE = 1e30;

export class BoostingRun {
  readonly trees: TreeEnsembleBuilder;
  readonly initialScores: Float32Array;
  readonly #kernel: Kernel;
  readonly #loss: Loss;
  readonly #options: BoostingOptions;
  readonly #nRows: number;
  readonly #grower: TreeGrower;
  readonly #grow: GrowerPlace;
  readonly #place: RunPlace;
  /** 1 for rows that trees are learnt from; `undefined` is every row. */
  readonly #learnt: Uint8Array | undefined;
  readonly #validationRows: Int32Array | undefined;
  readonly #nLearnt: number;
  readonly #unit: number;
  #nextIteration: number;

  constructor(
    columns: readonly TreeColumn[],
    nRows: number,
    loss: Loss,
    options: BoostingOptions,
    parallel: ParallelExecutor | undefined,
    resumed?: { readonly trees: TreeEnsemble; readonly scores: Float64Array },
  ) {
    this.#loss = loss;
    this.#options = options;
    this.#nRows = nRows;
    this.#learnt = learntRows(nRows, loss, options);
    const learnt = rowsWhere(nRows, this.#learnt, 1);
    this.#nLearnt = learnt.length;
    if (this.#learnt !== undefined) this.#validationRows = rowsWhere(nRows, this.#learnt, 0);
    this.initialScores = loss.initialScores(learnt);
    this.#unit = residualUnit(loss, this.initialScores);

    const nThreads = parallel?.nThreads ?? 1;
    const isSampled = this.#learnt !== undefined || options.subsample < 1;
    const shape = {
      nScores: loss.nScores,
      constantHessian: loss.constantHessian,
      isWeighted: loss.weights !== undefined,
      isSampled,
    };
    const { matrixPlace, room, growerPlace, runPlace, totalBytes } = planBoosting(
      nRows,
      columns.length,
      shape,
      options,
      nThreads,
    );
    this.#grow = growerPlace;
    this.#place = runPlace;
    this.trees =
      resumed === undefined ? new TreeEnsembleBuilder() : TreeEnsembleBuilder.continuing(resumed.trees);
    this.#nextIteration = this.trees.nTrees / loss.nScores;
    this.#kernel = new Kernel(totalBytes, parallel);
    try {
      const binned = binColumns(
        this.#kernel,
        columns,
        nRows,
        options.maxBins,
        options.randomState,
        matrixPlace,
        room,
        this.#learnt,
      );
      const { highestStep } = loss;
      const rules = highestStep === undefined ? options : { ...options, highestStep };
      this.#grower = new TreeGrower(this.#kernel, binned, rules, this.#grow);
      this.#load();
      if (resumed !== undefined) this.#scores().set(resumed.scores);
    } catch (error) {
      // Threads that nobody tells to stop would wait for this fit's jobs for ever, and help no other fit.
      this.#kernel.pause();
      throw error;
    }
  }

  /** Grows with every iteration, also where trees are forgotten at the end. */
  get nextIteration(): number {
    return this.#nextIteration;
  }

  /** Of all rows, one score after the other: where a resumed fit goes on. */
  scores(): Float64Array {
    return this.#scores().slice();
  }

  pause(): void {
    this.#kernel.pause();
  }

  resume(): void {
    this.#kernel.resume();
  }

  /** Adds the trees of one more iteration. */
  iterate(iteration: number): void {
    const kernel = this.#kernel;
    const place = this.#place;
    this.#nextIteration = iteration + 1;
    const isSoftmax = this.#loss.kind === LOSS_SOFTMAX;
    this.#drawSample(iteration);
    if (isSoftmax) {
      this.#setDerivativeParameters(LOSS_SOFTMAX, place.scores, place.probabilities);
      kernel.run(JOB_DERIVATIVES, this.#nChunks);
    }
    for (let k = 0; k < this.#loss.nScores; k++) {
      const nBytes = this.#nRows * 8;
      if (isSoftmax) {
        const probabilities = place.probabilities + k * this.#nRows * 4;
        this.#setDerivativeParameters(LOSS_SOFTMAX_CLASS, probabilities, place.hessians);
        kernel.setInt(P_CLASS, k);
      } else {
        this.#setDerivativeParameters(this.#loss.kind, place.scores, place.hessians);
      }
      kernel.run(JOB_DERIVATIVES, this.#nChunks);
      const root = this.#quantize(iteration * this.#loss.nScores + k);
      this.#grower.grow(root, this.trees);
      if (this.#loss.leafQuantile !== undefined) this.#renewLeaves(this.#loss.leafQuantile);
      this.#grower.addToScores(this.trees, place.scores + k * nBytes);
    }
  }

  /** Mean loss over the rows that were held back; `undefined` when none were. */
  validationLoss(): number | undefined {
    if (this.#validationRows === undefined) return undefined;
    return this.#loss.meanLoss(this.#scores(), this.#validationRows);
  }

  get #nChunks(): number {
    return Math.ceil(this.#nRows / CHUNK_ROWS);
  }

  #scores(): Float64Array {
    return this.#kernel.float64(this.#place.scores, this.#nRows * this.#loss.nScores);
  }

  #load(): void {
    const kernel = this.#kernel;
    const place = this.#place;
    kernel.float64(place.target, this.#nRows).set(this.#loss.target);
    if (this.#loss.weights !== undefined) kernel.float32(place.weights, this.#nRows).set(this.#loss.weights);
    if (place.inSample !== 0 && this.#learnt !== undefined)
      kernel.bytes(place.inSample, this.#nRows).set(this.#learnt);
    this.initialScores.forEach((score, k) => {
      kernel.float64(place.scores + k * this.#nRows * 8, this.#nRows).fill(score);
    });
  }

  #setDerivativeParameters(loss: number, scores: number, hessians: number): void {
    const kernel = this.#kernel;
    const place = this.#place;
    kernel.setInt(P_N_ROWS, this.#nRows);
    kernel.setInt(P_CHUNK_ROWS, CHUNK_ROWS);
    kernel.setInt(P_LOSS, loss);
    kernel.setInt(P_N_CLASSES, this.#loss.nScores);
    kernel.setInt(P_SCORES, scores);
    kernel.setInt(P_TARGET, place.target);
    kernel.setInt(P_WEIGHTS, this.#loss.weights === undefined ? 0 : place.weights);
    kernel.setInt(P_IN_SAMPLE, place.inSample);
    kernel.setInt(P_GRADIENTS, place.gradients);
    kernel.setInt(P_HESSIANS, hessians);
    kernel.setInt(P_PARTIALS, place.partials);
    kernel.setInt(P_CONSTANT_HESSIAN, this.#loss.constantHessian ? 1 : 0);
    kernel.setFloat(P_QUANTILE, this.#loss.leafQuantile ?? 0.5);
    kernel.setFloat(P_TARGET_UNIT, this.#unit);
  }

  /**
   * Gradients and hessians as integers in one int64 a row, as fine as the bits allow: every partial sum of |g| is
   * below half of the gradient's range, and every sum of h below the hessian's.
   */
  #quantize(tree: number): RootSums {
    const kernel = this.#kernel;
    const [absolute, hessian] = this.#partialSums();
    const countBits = 32 - Math.clz32(this.#nRows);
    const bits = 63 - countBits;
    const hessianBits = this.#loss.constantHessian ? 0 : Math.floor(bits / 2);
    // Beyond 51 bits a float64 has no room for more.
    const gradientBits = Math.min(51, bits - hessianBits);
    const fineness = Math.min(
      2 ** (gradientBits - 1) / this.#nRows,
      hessianBits > 0 ? 2 ** hessianBits / this.#nRows : Number.POSITIVE_INFINITY,
    );
    const isStochastic = fineness < FINE_ENOUGH;
    // Room for every row to be rounded up where that costs little, else for more than will ever be at random.
    const isAmple = this.#nRows <= AMPLE * 2 ** (gradientBits - 1);
    const slack = isAmple || !isStochastic ? this.#nRows : ROUNDING_DEVIATIONS * Math.sqrt(this.#nRows);
    const gradientScale = absolute > 0 ? (2 ** (gradientBits - 1) - slack) / absolute : 1;
    const hessianScale = hessian > 0 ? (2 ** hessianBits - slack) / hessian : 1;
    kernel.setInt(P_PACKED, this.#grow.packed);
    kernel.setInt(P_COUNT_BITS, countBits);
    kernel.setInt(P_HESSIAN_BITS, hessianBits);
    kernel.setInt(P_STOCHASTIC, isStochastic ? 1 : 0);
    kernel.setInt(P_SEED, Math.imul(tree + 1, 0x9e3779b1) ^ this.#options.randomState);
    kernel.setFloat(P_GRADIENT_SCALE, gradientScale);
    kernel.setFloat(P_HESSIAN_SCALE, hessianScale);
    kernel.run(JOB_QUANTIZE, this.#nChunks);
    kernel.setFloat(P_GRADIENT_SCALE, gradientScale * this.#unit);
    const total = this.#packedTotal();
    const count = Number(total & ((1n << BigInt(countBits)) - 1n));
    const mask = (1n << BigInt(hessianBits)) - 1n;
    const meanGradient = absolute / this.#unit / Math.max(1, count);
    const hessianSum = this.#loss.constantHessian
      ? count
      : Number((total >> BigInt(countBits)) & mask) / hessianScale;
    const freeGain = hessianSum > 0 ? (meanGradient * meanGradient * count) / hessianSum : 0;
    return {
      gradient: Number(total >> BigInt(countBits + hessianBits)) / (gradientScale * this.#unit),
      hessian: hessianSum,
      count,
      // Relative to what gains are made of, so that the unit of the target does not matter.
      minGain: NEGLIGIBLE_GAIN * freeGain * count,
      // The square of a normal variable is on average pi / 2 times the square of its mean size.
      chanceGain: (Math.PI / 2) * freeGain,
    };
  }

  #partialSums(): [absolute: number, hessian: number] {
    let absolute = 0;
    let hessian = 0;
    for (let chunk = 0; chunk < this.#nChunks; chunk++) {
      absolute += this.#kernel.getFloat(this.#place.partials + chunk * PARTIAL_BYTES);
      hessian += this.#kernel.getFloat(this.#place.partials + chunk * PARTIAL_BYTES + 8);
    }
    return [absolute, hessian];
  }

  #packedTotal(): bigint {
    const partials = this.#kernel.bigInt64(this.#place.partials, (this.#nChunks * PARTIAL_BYTES) / 8);
    let total = 0n;
    for (let chunk = 0; chunk < this.#nChunks; chunk++) total += partials[chunk * 4 + 2]!;
    return total;
  }

  /** The rows of a tree: those that are learnt from, or a share of them that is drawn anew for each iteration. */
  #drawSample(iteration: number): void {
    const { subsample, randomState } = this.#options;
    if (subsample >= 1) return;
    const inSample = this.#kernel.bytes(this.#place.inSample, this.#nRows);
    const random = new Random(randomState * 1_000_003 + iteration + 1);
    let left = this.#nLearnt;
    let wanted = Math.max(1, Math.round(subsample * this.#nLearnt));
    for (let row = 0; row < this.#nRows; row++) {
      inSample[row] = 0;
      if (this.#learnt !== undefined && this.#learnt[row] === 0) continue;
      if (random.nextFloat() * left-- < wanted) {
        inSample[row] = 1;
        wanted--;
      }
    }
  }

  /** Newton's step knows only the sign of a residual; the best constant for a leaf is a quantile of its residuals. */
  #renewLeaves(quantile: number): void {
    const scores = this.#scores();
    const { target } = this.#loss;
    const rows = this.#grower.rows;
    const inSample =
      this.#place.inSample === 0 ? undefined : this.#kernel.bytes(this.#place.inSample, this.#nRows);
    const residuals = new Float64Array(this.#nRows);
    for (const { node, start, end } of this.#grower.leaves) {
      let count = 0;
      for (let i = start; i < end; i++) {
        const row = rows[i]!;
        if (inSample === undefined || inSample[row] === 1) residuals[count++] = target[row]! - scores[row]!;
      }
      if (count === 0) continue;
      this.trees.setValue(
        node,
        this.#options.learningRate * quantileOf(residuals.subarray(0, count), quantile),
      );
    }
    restoreMonotony(this.trees, this.#grower.leaves, this.#grower.constrainedSplits);
  }
}

/**
 * Rows held back to tell when to stop are drawn by class, so that none is lost from the rest.
 * @returns `undefined` when every row is learnt from
 */
function learntRows(nRows: number, loss: Loss, options: BoostingOptions): Uint8Array | undefined {
  if (options.nIterNoChange === undefined) return undefined;
  const random = new Random(options.randomState * 7 + 3);
  const isClassification = loss.kind === LOSS_SOFTMAX || loss.kind === LOSS_BINARY;
  const strata = new Map<number, number[]>();
  for (let row = 0; row < nRows; row++) {
    const key = isClassification ? loss.target[row]! : 0;
    const rows = strata.get(key);
    if (rows === undefined) strata.set(key, [row]);
    else rows.push(row);
  }
  const learnt = new Uint8Array(nRows).fill(1);
  let held = 0;
  for (const rows of strata.values()) {
    const shuffled = random.shuffle(Int32Array.from(rows));
    const wanted = Math.min(rows.length - 1, Math.round(rows.length * options.validationFraction));
    for (let i = 0; i < wanted; i++) learnt[shuffled[i]!] = 0;
    held += Math.max(0, wanted);
  }
  return held === 0 ? undefined : learnt;
}

function rowsWhere(nRows: number, flags: Uint8Array | undefined, value: 0 | 1): Int32Array {
  const rows = new Int32Array(nRows);
  let count = 0;
  for (let row = 0; row < nRows; row++) if (flags === undefined || flags[row] === value) rows[count++] = row;
  return count === nRows ? rows : rows.slice(0, count);
}

/** A power of two, so that scaling rounds nothing. */
function residualUnit(loss: Loss, initialScores: Float32Array): number {
  if (!loss.constantHessian) return 1;
  const largest = loss.target.reduce((most, y) => Math.max(most, Math.abs(y - initialScores[0]!)), 0);
  return largest > HUGE ? 2 ** -Math.ceil(Math.log2(largest / HUGE)) : 1;
}
