import type { ClassLabel, ModelManifest } from '../../contracts/models.ts';
import type { GraphOutput } from '../model-executor.ts';
import { bestClass, labelOf } from '../served-model.ts';

export type ResultType = 'number' | 'boolean' | 'text';

/** What the columns of a result are. */
export interface ResultShape {
  readonly prediction: ResultType;
  readonly confidence: boolean;
  readonly probabilities: boolean;
}

/** Predictions by column; `null` everywhere but in `errors` for a row that could not be scored. */
export interface ScoredRows {
  readonly nRows: number;
  readonly prediction: readonly (string | number | boolean | null)[];
  /** Classification only. */
  readonly confidence?: readonly (number | null)[];
  /** Where they were asked for, in the order of the classes. */
  readonly probabilities?: readonly (readonly number[] | null)[];
  readonly errors: readonly (string | null)[];
}

/** @returns the shape of a version's results: labels of several types become text */
export function resultShape(
  { classes, task, imported }: Pick<ModelManifest, 'classes' | 'task' | 'imported'>,
  wantsProbabilities: boolean,
): ResultShape {
  const hasProbabilities = imported === undefined || imported.probabilities !== undefined;
  if (classes === undefined && task === 'classification')
    return { prediction: 'text', confidence: false, probabilities: false };
  if (classes === undefined) return { prediction: 'number', confidence: false, probabilities: false };
  const types = new Set(classes.map((label) => typeof label));
  const [only] = types;
  const prediction = types.size === 1 && (only === 'number' || only === 'boolean') ? only : 'text';
  return {
    prediction,
    confidence: hasProbabilities,
    probabilities: hasProbabilities && wantsProbabilities,
  };
}

/** @returns what a graph gave for rows, as columns of a result; the label of the largest probability is predicted */
export function scoredRows(
  output: GraphOutput,
  nRows: number,
  { classes }: Pick<ModelManifest, 'classes'>,
  shape: ResultShape,
  failures: ReadonlyMap<number, string>,
): ScoredRows {
  const errors = Array.from({ length: nRows }, (_, row) => failures.get(row) ?? null);
  const { values } = output;
  if (values !== undefined) {
    const prediction = errors.map((error, row) => (error === null ? values[row]! : null));
    return { nRows, prediction, errors };
  }
  const shown = (label: ClassLabel) => (shape.prediction === 'text' ? String(label) : label);
  const prediction: ScoredRows['prediction'][number][] = [];
  const confidence: (number | null)[] = [];
  const probabilities: (readonly number[] | null)[] = [];
  for (let row = 0; row < nRows; row++) {
    if (errors[row] !== null) {
      prediction.push(null);
      confidence.push(null);
      if (shape.probabilities) probabilities.push(null);
      continue;
    }
    prediction.push(shown(labelOf(output, classes, row)));
    if (!shape.confidence) continue;
    const all = output.probabilities!;
    const nClasses = classes!.length;
    const first = row * nClasses;
    confidence.push(all[first + bestClass(all, row, nClasses)]!);
    if (shape.probabilities) probabilities.push(Array.from(all.subarray(first, first + nClasses)));
  }
  return {
    nRows,
    prediction,
    ...(shape.confidence ? { confidence } : {}),
    errors,
    ...(shape.probabilities ? { probabilities } : {}),
  };
}
