/** How the memory of a boosting fit is laid out, which is also how much of it the fit will take. */
import { MemoryPlan } from '../kernel/memory-plan.ts';
import { planBinnedMatrix, planBinningRoom } from './binned-matrix.ts';
import { type GrowthRules, planGrower } from './grower.ts';

/** Rows whose derivatives are one task. */
export const CHUNK_ROWS = 16_384;
export const PARTIAL_BYTES = 32;

export interface BoostingShape {
  /** Trees per iteration. */
  readonly nScores: number;
  readonly constantHessian: boolean;
  readonly isWeighted: boolean;
  /** Not every row is learnt from each time. */
  readonly isSampled: boolean;
}

export interface RunPlace {
  readonly target: number;
  readonly weights: number;
  readonly inSample: number;
  readonly scores: number;
  readonly probabilities: number;
  readonly gradients: number;
  readonly hessians: number;
  readonly partials: number;
}

export function planBoosting(
  nRows: number,
  nColumns: number,
  shape: BoostingShape,
  rules: GrowthRules,
  nThreads: number,
) {
  const plan = new MemoryPlan();
  const matrixPlace = planBinnedMatrix(plan, nRows, nColumns);
  const [room, growerPlace, runPlace] = plan.overlay(
    () => [planBinningRoom(plan, nRows)] as const,
    () => [planGrower(plan, nRows, nColumns, rules, nThreads), planRun(plan, nRows, shape)] as const,
  );
  return { matrixPlace, room, growerPlace, runPlace, totalBytes: plan.totalBytes };
}

function planRun(plan: MemoryPlan, nRows: number, shape: BoostingShape): RunPlace {
  const { nScores, constantHessian, isWeighted, isSampled } = shape;
  return {
    target: plan.reserve(nRows * 8 + 8),
    weights: isWeighted ? plan.reserve(nRows * 4) : 0,
    inSample: isSampled ? plan.reserve(nRows) : 0,
    scores: plan.reserve(nRows * 8 * nScores + 8),
    probabilities: nScores > 1 ? plan.reserve(nRows * 4 * nScores) : 0,
    gradients: plan.reserve(nRows * 4 + 4),
    hessians: constantHessian ? 0 : plan.reserve(nRows * 4 + 4),
    partials: plan.reserve(Math.ceil(nRows / CHUNK_ROWS) * PARTIAL_BYTES),
  };
}
