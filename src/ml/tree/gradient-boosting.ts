import { TrainingError } from '../../errors.ts';
import { fromBase64, toBase64 } from '../base64.ts';
import type { FitHooks, FitResult } from '../pipeline-model.ts';
import type { TreeColumn } from './binned-matrix.ts';
import type { BoostingOptions } from './boosting-options.ts';
import { BoostingRun } from './boosting-run.ts';
import type { Loss } from './loss.ts';
import { ensembleFromJSON, ensembleScores, ensembleToJSON, type TreeEnsemble } from './tree.ts';

export type { BoostingOptions } from './boosting-options.ts';

/** score k of a row = initialScores[k] + sum of the trees t with t % nScores == k. */
export interface BoostedTrees {
  readonly nScores: number;
  readonly initialScores: Float32Array;
  readonly trees: TreeEnsemble;
}

/** The state of a fit between iterations. */
interface Progress {
  readonly iteration: number;
  /** Of the iterations so far, with early stopping. */
  readonly losses: readonly number[];
}

/** A fit that was asked to pause: goes on at once where it is, or from its JSON where it is not. */
class PausedBoosting {
  readonly run: BoostingRun;
  readonly progress: Progress;

  constructor(run: BoostingRun, progress: Progress) {
    this.run = run;
    this.progress = progress;
  }

  /** The run, unless another resumption of this pause has gone on with it. */
  get unspentRun(): BoostingRun {
    if (this.run.nextIteration === this.progress.iteration) return this.run;
    throw new TrainingError(
      'CHECKPOINT_SPENT',
      'the fit has gone on from this checkpoint already; resume from its newest one, or from the JSON of this one taken before',
    );
  }

  toJSON(): unknown {
    return {
      ...this.progress,
      trees: ensembleToJSON(this.unspentRun.trees.build()),
      // Adding them up again takes as long as the trees took to grow: a fit in slices would come ever less far.
      scores: toBase64(new Uint8Array(this.run.scores().buffer)),
    };
  }
}

/**
 * Gradient boosting on histograms (Friedman 2001; Ke et al. 2017; derivatives as small integers: Shi et al. 2022).
 * Cost O(nRows · nColumns) per level of a tree; memory some nColumns + 100 bytes a row. The same model with any number
 * of threads: sums are of integers. A checkpoint holds the trees and the scores that it stopped at, so that the resumed
 * fit ends with the very model of an uninterrupted one, and begins at once.
 */
export function fitGradientBoosting(
  columns: readonly TreeColumn[],
  nRows: number,
  loss: Loss,
  options: BoostingOptions,
  hooks: FitHooks = {},
  checkpoint?: unknown,
): FitResult<BoostedTrees> {
  const { run, progress } = begin(columns, nRows, loss, options, hooks, checkpoint);
  const losses = [...progress.losses];
  try {
    for (let iteration = progress.iteration; iteration < options.nEstimators; iteration++) {
      run.iterate(iteration);
      const validationLoss = run.validationLoss();
      if (validationLoss !== undefined) losses.push(validationLoss);
      if (hasStalled(losses, options)) break;
      const isLast = iteration + 1 === options.nEstimators;
      if (!isLast) hooks.onProgress?.((iteration + 1) / options.nEstimators);
      if (!isLast && hooks.shouldPause?.()) {
        return {
          done: false,
          checkpoint: new PausedBoosting(run, { iteration: iteration + 1, losses }),
        };
      }
    }
  } finally {
    run.pause();
  }
  hooks.onProgress?.(1);
  if (losses.length > 0) run.trees.truncate((bestIteration(losses, options.tol) + 1) * loss.nScores);
  return {
    done: true,
    model: { nScores: loss.nScores, initialScores: run.initialScores, trees: run.trees.build() },
  };
}

function begin(
  columns: readonly TreeColumn[],
  nRows: number,
  loss: Loss,
  options: BoostingOptions,
  hooks: FitHooks,
  checkpoint: unknown,
): { run: BoostingRun; progress: Progress } {
  if (checkpoint instanceof PausedBoosting) {
    checkpoint.unspentRun.resume();
    return checkpoint;
  }
  if (checkpoint === undefined) {
    const run = new BoostingRun(columns, nRows, loss, options, hooks.parallel);
    return { run, progress: { iteration: 0, losses: [] } };
  }
  const { iteration, losses, trees, scores } = checkpoint as Progress & { trees: unknown; scores: string };
  const run = new BoostingRun(columns, nRows, loss, options, hooks.parallel, {
    trees: ensembleFromJSON(trees),
    scores: new Float64Array(fromBase64(scores).buffer),
  });
  return { run, progress: { iteration, losses } };
}

/** No loss of the last iterations is better than the best one before them. */
function hasStalled(losses: readonly number[], { nIterNoChange, tol }: BoostingOptions): boolean {
  if (nIterNoChange === undefined || losses.length <= nIterNoChange) return false;
  return losses.length - 1 - bestIteration(losses, tol) >= nIterNoChange;
}

function bestIteration(losses: readonly number[], tol: number): number {
  let best = 0;
  for (let i = 1; i < losses.length; i++) if (losses[i]! < losses[best]! - tol) best = i;
  return best;
}

/** One column of scores per score of the model. */
export function boostedScores(
  model: BoostedTrees,
  columns: readonly Float32Array[],
  nRows: number,
): Float64Array[] {
  return ensembleScores(model.trees, model.initialScores, columns, nRows);
}
