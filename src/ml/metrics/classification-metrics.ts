import { ValidationError } from '../../errors.ts';
import { mostProbableClasses } from '../class-probabilities.ts';
import type { ClassLabel } from '../pipeline-model.ts';
import { cohenKappa, matthewsCorrcoef } from './agreement.ts';
import { type ClassScores, confusionMatrix, scoresPerClass } from './confusion-matrix.ts';
import { brierScore, logLoss, topKAccuracy } from './probability-metrics.ts';
import { averagePrecision, rocAuc } from './ranking.ts';

/**
 * scikit-learn's definitions. precision, recall and f1_score are weighted by support, `_macro` are plain means;
 * roc_auc is of the second class with two classes, else one-vs-rest weighted by support over the classes that have
 * rows, roc_auc_macro their plain mean. average_precision is the plain mean over those classes with more than two.
 * top_k_accuracy is for k = 2 and more than two classes. A metric that does not exist for these rows (roc_auc of a
 * single class, cohen_kappa where truth and prediction are one class) is left out.
 * A row of a class that training did not see is a mistake whatever is predicted: it counts as one more class of
 * probability 0, and not in roc_auc and average_precision.
 * @param yTrue - index into `classes` per row, -1 for a class that is none of them; n_samples >= 1.
 * @param probabilities - row-major n_samples × n_classes.
 * @param sampleWeights - >= 0 per row. @default - every row weighs 1
 */
export function classificationMetrics(
  yTrue: Int32Array,
  probabilities: Float64Array,
  classes: readonly ClassLabel[],
  sampleWeights?: Float64Array,
): Record<string, number> {
  const nClasses = classes.length;
  const nSamples = yTrue.length;
  if (nSamples === 0 || probabilities.length !== nSamples * nClasses) {
    throw new ValidationError(
      `probabilities has ${probabilities.length} values but n_samples=${nSamples} × n_classes=${nClasses} are needed, with n_samples >= 1`,
    );
  }
  const known = knownRows({ yTrue, probabilities, sampleWeights }, nClasses);
  const nScored = known.yTrue.length === nSamples ? nClasses : nClasses + 1;
  const truth = yTrue.map((index) => (index < 0 ? nClasses : index));
  const confusion = confusionMatrix(
    truth,
    mostProbableClasses(probabilities, nClasses),
    nScored,
    sampleWeights,
  );
  const scores = scoresPerClass(confusion, nScored);
  const ofTrue = scores.filter((one) => one.support > 0);
  const optional = {
    cohen_kappa: cohenKappa(confusion, nScored),
    ...rankingMetrics(known, nClasses),
  };
  return {
    accuracy: trace(confusion, nScored) / sumOf(confusion),
    balanced_accuracy: ofTrue.reduce((sum, one) => sum + one.recall, 0) / ofTrue.length,
    precision: weightedMean(scores, (one) => one.precision),
    recall: weightedMean(scores, (one) => one.recall),
    f1_score: weightedMean(scores, (one) => one.f1),
    precision_macro: macroMean(scores, (one) => one.precision),
    recall_macro: macroMean(scores, (one) => one.recall),
    f1_macro: macroMean(scores, (one) => one.f1),
    matthews_corrcoef: matthewsCorrcoef(confusion, nScored),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(nClasses > 2
      ? { top_k_accuracy: topKAccuracy(yTrue, probabilities, nClasses, 2, sampleWeights) }
      : {}),
    log_loss: logLoss(yTrue, probabilities, nClasses, sampleWeights),
    brier_score: brierScore(yTrue, probabilities, nClasses, sampleWeights),
    n_samples: nSamples,
  };
}

interface ScoredRows {
  readonly yTrue: Int32Array;
  readonly probabilities: Float64Array;
  readonly sampleWeights: Float64Array | undefined;
}

function knownRows(rows: ScoredRows, nClasses: number): ScoredRows {
  const { yTrue, probabilities, sampleWeights } = rows;
  if (yTrue.every((index) => index >= 0)) return rows;
  return {
    yTrue: yTrue.filter((index) => index >= 0),
    probabilities: probabilities.filter((_, i) => yTrue[Math.floor(i / nClasses)]! >= 0),
    sampleWeights: sampleWeights?.filter((_, i) => yTrue[i]! >= 0),
  };
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
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

/** 1 for rows of the class, 0 for others. */
export function isClass(yTrue: Int32Array, index: number): Uint8Array {
  return Uint8Array.from(yTrue, (truth) => (truth === index ? 1 : 0));
}

/** The probabilities of one class. */
export function columnOf(probabilities: Float64Array, column: number, nClasses: number): Float64Array {
  return Float64Array.from(
    { length: probabilities.length / nClasses },
    (_, i) => probabilities[i * nClasses + column]!,
  );
}

function rankingMetrics(
  { yTrue, probabilities, sampleWeights }: ScoredRows,
  nClasses: number,
): Record<string, number | undefined> {
  if (nClasses === 2) {
    const isPositive = isClass(yTrue, 1);
    const scores = columnOf(probabilities, 1, 2);
    return {
      roc_auc: rocAuc(isPositive, scores, sampleWeights),
      average_precision: averagePrecision(isPositive, scores, sampleWeights),
    };
  }
  const areas: { auc: number; precision: number; support: number }[] = [];
  for (let k = 0; k < nClasses; k++) {
    const isPositive = isClass(yTrue, k);
    const scores = columnOf(probabilities, k, nClasses);
    const auc = rocAuc(isPositive, scores, sampleWeights);
    const precision = averagePrecision(isPositive, scores, sampleWeights);
    if (auc === undefined || precision === undefined) continue;
    const support = isPositive.reduce((sum, flag, i) => sum + flag * (sampleWeights?.[i] ?? 1), 0);
    areas.push({ auc, precision, support });
  }
  if (areas.length === 0) return {};
  const support = areas.reduce((sum, one) => sum + one.support, 0);
  return {
    roc_auc: areas.reduce((sum, one) => sum + one.support * one.auc, 0) / support,
    roc_auc_macro: areas.reduce((sum, one) => sum + one.auc, 0) / areas.length,
    average_precision: areas.reduce((sum, one) => sum + one.precision, 0) / areas.length,
  };
}

/** Precision, recall and F1 of one class, with the rows it has. */
export interface ClassReport {
  readonly label: ClassLabel;
  readonly precision: number;
  readonly recall: number;
  readonly f1_score: number;
  readonly support: number;
}

/** One line per class, as scikit-learn's classification_report; rows of unknown classes count against no class's recall. */
export function classReport(
  yTrue: Int32Array,
  yPred: Int32Array,
  classes: readonly ClassLabel[],
  sampleWeights?: Float64Array,
): ClassReport[] {
  const nScored = classes.length + 1;
  const truth = yTrue.map((index) => (index < 0 ? classes.length : index));
  const scores = scoresPerClass(confusionMatrix(truth, yPred, nScored, sampleWeights), nScored);
  return classes.map((label, k) => {
    const { precision, recall, f1, support } = scores[k]!;
    return { label, precision, recall, f1_score: f1, support };
  });
}
