import { ValidationError } from '../../errors.ts';
import { mostProbableClasses } from '../class-probabilities.ts';
import type { ClassLabel } from '../pipeline-model.ts';
import { type ClassScores, confusionMatrix, scoresPerClass } from './confusion-matrix.ts';
import { averagePrecision, rocAuc } from './ranking.ts';

/**
 * scikit-learn's definitions. precision, recall and f1_score are weighted by support, `_macro` are plain means;
 * roc_auc is of the second class with two classes, else one-vs-rest weighted by support over the classes that have
 * rows. A metric that does not exist for these rows (roc_auc of a single class) is left out.
 * A row of a class that training did not see is a mistake whatever is predicted: it counts as one more class of
 * probability 0, and not in roc_auc and average_precision.
 * @param yTrue - index into `classes` per row, -1 for a class that is none of them; n_samples >= 1.
 * @param probabilities - row-major n_samples × n_classes.
 */
export function classificationMetrics(
  yTrue: Int32Array,
  probabilities: Float64Array,
  classes: readonly ClassLabel[],
): Record<string, number> {
  const nClasses = classes.length;
  const nSamples = yTrue.length;
  if (nSamples === 0 || probabilities.length !== nSamples * nClasses) {
    throw new ValidationError(
      `probabilities has ${probabilities.length} values but n_samples=${nSamples} × n_classes=${nClasses} are needed, with n_samples >= 1`,
    );
  }
  const known = knownRows(yTrue, probabilities, nClasses);
  const nScored = known.yTrue.length === nSamples ? nClasses : nClasses + 1;
  const truth = yTrue.map((index) => (index < 0 ? nClasses : index));
  const confusion = confusionMatrix(truth, mostProbableClasses(probabilities, nClasses), nScored);
  const scores = scoresPerClass(confusion, nScored);
  const metrics: Record<string, number> = {
    accuracy: trace(confusion, nScored) / nSamples,
    precision: weightedMean(scores, (one) => one.precision),
    recall: weightedMean(scores, (one) => one.recall),
    f1_score: weightedMean(scores, (one) => one.f1),
    precision_macro: macroMean(scores, (one) => one.precision),
    recall_macro: macroMean(scores, (one) => one.recall),
    f1_macro: macroMean(scores, (one) => one.f1),
  };
  const auc = weightedRocAuc(known.yTrue, known.probabilities, nClasses);
  if (auc !== undefined) metrics.roc_auc = auc;
  if (nClasses === 2) {
    const precision = averagePrecision(isClass(known.yTrue, 1), columnOf(known.probabilities, 1, 2));
    if (precision !== undefined) metrics.average_precision = precision;
  }
  metrics.log_loss = logLoss(yTrue, probabilities, nClasses);
  metrics.n_samples = nSamples;
  return metrics;
}

function knownRows(
  yTrue: Int32Array,
  probabilities: Float64Array,
  nClasses: number,
): { yTrue: Int32Array; probabilities: Float64Array } {
  if (yTrue.every((index) => index >= 0)) return { yTrue, probabilities };
  return {
    yTrue: yTrue.filter((index) => index >= 0),
    probabilities: probabilities.filter((_, i) => yTrue[Math.floor(i / nClasses)]! >= 0),
  };
}

function trace(confusion: Float64Array, nClasses: number): number {
  let hits = 0;
  for (let k = 0; k < nClasses; k++) hits += confusion[k * nClasses + k]!;
  return hits;
}

function weightedMean(scores: readonly ClassScores[], value: (one: ClassScores) => number): number {
  let sum = 0;
  let weight = 0;
  for (const one of scores) {
    sum += one.support * value(one);
    weight += one.support;
  }
  return sum / weight;
}

function macroMean(scores: readonly ClassScores[], value: (one: ClassScores) => number): number {
  const present = scores.filter((one) => one.present);
  return present.reduce((sum, one) => sum + value(one), 0) / present.length;
}

function isClass(yTrue: Int32Array, index: number): Uint8Array {
  return Uint8Array.from(yTrue, (truth) => (truth === index ? 1 : 0));
}

function columnOf(probabilities: Float64Array, column: number, nClasses: number): Float64Array {
  return Float64Array.from(
    { length: probabilities.length / nClasses },
    (_, i) => probabilities[i * nClasses + column]!,
  );
}

function weightedRocAuc(
  yTrue: Int32Array,
  probabilities: Float64Array,
  nClasses: number,
): number | undefined {
  if (nClasses === 2) return rocAuc(isClass(yTrue, 1), columnOf(probabilities, 1, 2));
  let sum = 0;
  let weight = 0;
  for (let k = 0; k < nClasses; k++) {
    const isPositive = isClass(yTrue, k);
    const auc = rocAuc(isPositive, columnOf(probabilities, k, nClasses));
    if (auc === undefined) continue;
    const support = isPositive.reduce((count, flag) => count + flag, 0);
    sum += support * auc;
    weight += support;
  }
  return weight === 0 ? undefined : sum / weight;
}

/** Probabilities are kept one float64 rounding step away from 0 and 1, so that a sure mistake costs 36, not infinity. */
export function logLoss(yTrue: Int32Array, probabilities: Float64Array, nClasses: number): number {
  const epsilon = Number.EPSILON;
  let loss = 0;
  for (let i = 0; i < yTrue.length; i++) {
    let sum = 0;
    for (let k = 0; k < nClasses; k++) sum += clip(probabilities[i * nClasses + k]!, epsilon);
    const ofTruth = yTrue[i]! < 0 ? 0 : probabilities[i * nClasses + yTrue[i]!]!;
    loss -= Math.log(clip(ofTruth, epsilon) / sum);
  }
  return loss / yTrue.length;
}

function clip(probability: number, epsilon: number): number {
  return Math.min(1 - epsilon, Math.max(epsilon, probability));
}
