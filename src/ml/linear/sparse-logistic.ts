import type { FitHooks, FitResult } from '../pipeline-model.ts';
import { shiftClasses } from './class-shift.ts';
import { type PenalizedQuadratic, sweep, violation } from './coordinate-descent.ts';
import { addProduct, type DesignMatrix, transposeProduct } from './design-matrix.ts';
import { gram } from './gram.ts';
import { lossAndResiduals } from './logistic-loss.ts';
import type { LogisticOptions, LogisticWeights } from './logistic-regression.ts';

const MAX_SWEEPS = 1000;
const SUFFICIENT_DECREASE = 1e-4;
const MAX_HALVINGS = 30;

/** Weights of one score, its intercept behind them. */
type Block = Float64Array;

interface State {
  readonly blocks: readonly Block[];
  readonly iteration: number;
  /** Blocks in a row that were found at their minimum: with all of them the whole is. */
  readonly atMinimum: number;
}

/**
 * Minimizes the log loss plus (l1Ratio |w|₁ + (1 - l1Ratio) |w|² / 2) / C by proximal Newton steps, one score after the
 * other (Yuan, Ho and Lin 2012; Friedman, Hastie and Tibshirani 2010 for the coordinate descent inside).
 * Cost per iteration O(nRows · nScores · (dense columns + one-hot blocks)²); memory O(columns²).
 * @param l1Ratio - in (0, 1].
 */
export function fitSparseLogistic(
  design: DesignMatrix,
  classIndices: Int32Array,
  nClasses: number,
  options: LogisticOptions & { readonly l1Ratio: number },
  sampleWeights?: Float64Array,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<LogisticWeights> {
  const nScores = nClasses === 2 ? 1 : nClasses;
  const { nRows, nColumns } = design;
  const strength = 1 / (options.C * nRows);
  const problem: Problem = {
    design,
    classIndices,
    rowWeights: sampleWeights ?? new Float64Array(nRows).fill(1),
    l1: strength * options.l1Ratio,
    l2: strength * (1 - options.l1Ratio),
    nPenalized: nColumns,
  };
  let state: State =
    checkpoint === undefined
      ? {
          blocks: Array.from({ length: nScores }, () => new Float64Array(nColumns + 1)),
          iteration: 0,
          atMinimum: 0,
        }
      : fromJSON(checkpoint);
  const maxIterations = options.maxIter * nScores;
  while (state.atMinimum < nScores && state.iteration < maxIterations) {
    state = step(problem, state, options.tol);
    hooks.onProgress?.(state.iteration / maxIterations);
    if (hooks.shouldPause?.()) return { done: false, checkpoint: toJSON(state) };
  }
  const weights = new Float64Array(nScores * nColumns);
  state.blocks.forEach((block, k) => {
    weights.set(block.subarray(0, nColumns), k * nColumns);
  });
  const intercepts = Float64Array.from(state.blocks, (block) => block[nColumns]!);
  return { done: true, model: { nScores, weights, intercepts } };
}

interface Problem {
  readonly design: DesignMatrix;
  readonly classIndices: Int32Array;
  readonly rowWeights: Float64Array;
  readonly l1: number;
  readonly l2: number;
  readonly nPenalized: number;
}

/** One Newton step on the score whose turn it is, unless it is at its minimum. */
function step(problem: Problem, state: State, tol: number): State {
  const turn = state.iteration % state.blocks.length;
  const isPassBegin = turn === 0 && state.blocks.length > 1;
  const blocks = isPassBegin ? shiftClasses(state.blocks, problem) : state.blocks;
  const atMinimum = blocks === state.blocks ? state.atMinimum : 0;
  const iteration = state.iteration + 1;
  const block = blocks[turn]!;
  const { value, residuals } = evaluate(problem, blocks);
  const gradient = gradientOf(problem.design, residuals[turn]!);
  const distance = violation(problem, block, gradient);
  const moved = distance > tol && newtonStep(problem, blocks, turn, { value, gradient, distance, residuals });
  if (moved) return { blocks: blocks.with(turn, moved), iteration, atMinimum: 0 };
  return { blocks, iteration, atMinimum: atMinimum + 1 };
}

/** @returns undefined where no step lowers the value any more: rounding is the limit. */
function newtonStep(
  problem: Problem,
  blocks: readonly Block[],
  turn: number,
  at: {
    readonly value: number;
    readonly gradient: Float64Array;
    readonly distance: number;
    readonly residuals: readonly Float64Array[];
  },
): Block | undefined {
  const block = blocks[turn]!;
  const quadratic: PenalizedQuadratic = {
    ...problem,
    // The one score of two classes is that of the second.
    a: hessian(problem, at.residuals[turn]!, blocks.length === 1 ? 1 : turn),
    n: block.length,
  };
  const target = Float64Array.from(block);
  const gradient = Float64Array.from(at.gradient);
  // The closer the minimum, the more exactly the quadratic is solved, which keeps Newton's speed.
  const enough = at.distance * Math.min(0.1, at.distance);
  for (let i = 0; i < MAX_SWEEPS && violation(problem, target, gradient) > enough; i++) {
    sweep(quadratic, target, gradient);
  }
  let expected = penaltyOf(problem, target) - penaltyOf(problem, block);
  for (let j = 0; j < block.length; j++) expected += at.gradient[j]! * (target[j]! - block[j]!);
  if (!(expected < 0)) return undefined;
  let length = 1;
  for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
    const moved = length === 1 ? target : block.map((old, j) => old + length * (target[j]! - old));
    const { value } = evaluate(problem, blocks.with(turn, moved));
    if (value <= at.value + SUFFICIENT_DECREASE * length * expected) return moved;
  }
  return undefined;
}

/** Mean loss with penalties, and weight · (probability - truth) per score and row. */
function evaluate(
  problem: Problem,
  blocks: readonly Block[],
): { readonly value: number; readonly residuals: readonly Float64Array[] } {
  const { design, classIndices, rowWeights } = problem;
  const scores = blocks.map((block) => {
    const score = new Float64Array(design.nRows).fill(block[design.nColumns]!);
    addProduct(design, block, 0, score);
    return score;
  });
  const loss = lossAndResiduals(scores, classIndices, rowWeights) / design.nRows;
  return { value: blocks.reduce((sum, block) => sum + penaltyOf(problem, block), loss), residuals: scores };
}

function penaltyOf({ l1, l2, nPenalized }: Problem, block: Block): number {
  let penalty = 0;
  for (let j = 0; j < nPenalized; j++) penalty += l1 * Math.abs(block[j]!) + (l2 / 2) * block[j]! * block[j]!;
  return penalty;
}

/** Of the mean loss, the intercept's behind the weights'. */
function gradientOf(design: DesignMatrix, residuals: Float64Array): Float64Array {
  const gradient = new Float64Array(design.nColumns + 1);
  transposeProduct(design, residuals, gradient, 0);
  gradient[design.nColumns] = sumOf(residuals);
  return gradient.map((value) => value / design.nRows);
}

/** Second derivatives of the mean loss by the weights of one score and its intercept. */
function hessian(
  { design, classIndices, rowWeights }: Problem,
  residuals: Float64Array,
  positive: number,
): Float64Array {
  const { nRows, nColumns } = design;
  const n = nColumns + 1;
  const curvatures = Float64Array.from(residuals, (residual, i) => {
    const probability = residual / rowWeights[i]! + (classIndices[i] === positive ? 1 : 0);
    return (rowWeights[i]! * probability * (1 - probability)) / nRows;
  });
  const inner = gram(design, curvatures);
  const border = new Float64Array(nColumns);
  transposeProduct(design, curvatures, border, 0);
  const result = new Float64Array(n * n);
  for (let i = 0; i < nColumns; i++) {
    result.set(inner.subarray(i * nColumns, (i + 1) * nColumns), i * n);
    result[i * n + nColumns] = border[i]!;
  }
  result.set(border, nColumns * n);
  result[n * n - 1] = sumOf(curvatures);
  return result;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function toJSON(state: State): unknown {
  return { ...state, blocks: state.blocks.map((block) => Array.from(block)) };
}

function fromJSON(json: unknown): State {
  const state = json as { blocks: number[][]; iteration: number; atMinimum: number };
  return { ...state, blocks: state.blocks.map((block) => Float64Array.from(block)) };
}
