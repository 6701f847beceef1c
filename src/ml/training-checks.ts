/** What a table must hold before anything is fitted on it; each broken rule has its own code. */
import { TrainingError } from '../errors.ts';
import type { Task } from './pipeline-model.ts';
import { type Column, columnNamed, isAllMissing, type Table } from './table.ts';

export const MAX_CLASSES = 1000;
/** Below this many classes a small table is not suspected of having an identifier as target. */
const FEW_CLASSES = 20;

export interface TrainableRequirements {
  readonly task: Task;
  readonly target: string;
  /** Least number of rows that have a target value. */
  readonly minSamples: number;
  /** Names of the columns to learn from. @default - every column but the target */
  readonly features?: readonly string[];
}

/**
 * Passes silently or throws the first broken rule.
 * @throws TrainingError TARGET_NOT_FOUND, FEATURE_NOT_FOUND, TARGET_IS_DATE, TARGET_NOT_NUMERIC, INFINITE_VALUE,
 * INSUFFICIENT_SAMPLES, CONSTANT_TARGET, TOO_MANY_CLASSES, LABEL_NOT_STORABLE, LABEL_TOO_LARGE, CATEGORY_NOT_STORABLE,
 * ALL_FEATURES_MISSING.
 */
export function checkTrainable(table: Table, requirements: TrainableRequirements): void {
  const target = targetColumn(table, requirements.target);
  const features = featureColumns(table, requirements);
  checkNoDate(target);
  if (requirements.task === 'regression') checkNumericTarget(target);
  checkTargetValues(target, requirements);
  for (const feature of features) checkCategories(feature);
  if (features.every(isAllMissing)) {
    throw new TrainingError(
      'ALL_FEATURES_MISSING',
      `none of the ${features.length} feature columns holds a value; give at least one column besides "${target.name}" that has values`,
      { evidence: { n_features: features.length } },
    );
  }
}

function targetColumn(table: Table, name: string): Column {
  const column = columnNamed(table, name);
  if (column !== undefined) return column;
  const columns = table.columns.map((candidate) => candidate.name);
  throw new TrainingError(
    'TARGET_NOT_FOUND',
    `target "${name}" is not a column; the columns are ${quoted(columns)}`,
    { evidence: { target: name, columns } },
  );
}

function featureColumns(table: Table, requirements: TrainableRequirements): Column[] {
  if (requirements.features === undefined) {
    return table.columns.filter((column) => column.name !== requirements.target);
  }
  return requirements.features.map((name) => {
    const column = columnNamed(table, name);
    if (column !== undefined && name !== requirements.target) return column;
    const columns = table.columns
      .map((candidate) => candidate.name)
      .filter((other) => other !== requirements.target);
    throw new TrainingError(
      'FEATURE_NOT_FOUND',
      `feature "${name}" ${name === requirements.target ? 'is the target' : 'is not a column'}; the features to choose from are ${quoted(columns)}`,
      { evidence: { feature: name, columns } },
    );
  });
}

function checkNoDate(target: Column): void {
  if (target.type !== 'date') return;
  throw new TrainingError(
    'TARGET_IS_DATE',
    `target "${target.name}" holds dates, which are neither classes nor an amount; make a column of it to train on, as days from a fixed date for regression or the month for classification`,
    { evidence: { target: target.name } },
  );
}

function checkNumericTarget(target: Column): void {
  if (target.type === 'number' || target.type === 'boolean') return;
  throw new TrainingError(
    'TARGET_NOT_NUMERIC',
    `regression needs a numeric target but "${target.name}" is of type ${target.type}; choose classification or another target`,
    { evidence: { target: target.name, type: target.type } },
  );
}

function checkTargetValues(target: Column, { task, minSamples }: TrainableRequirements): void {
  const values: ArrayLike<number> = target.type === 'category' ? target.codes : target.values;
  const distinct = new Set<number>();
  let nSamples = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (target.type === 'category' ? value < 0 : Number.isNaN(value)) continue;
    if (!Number.isFinite(Math.fround(value))) {
      throw new TrainingError(
        'INFINITE_VALUE',
        `target "${target.name}" holds ${value} in row ${row}; values must be finite as float32`,
        { evidence: { target: target.name, row } },
      );
    }
    nSamples++;
    // Leaves and the outputs of a graph are float32: amounts that are one there cannot be told apart by any model.
    distinct.add(task === 'regression' ? Math.fround(value) : value);
  }
  if (nSamples < minSamples) {
    throw new TrainingError(
      'INSUFFICIENT_SAMPLES',
      `n_samples=${nSamples} rows with a value of "${target.name}" must be >= min_samples=${minSamples}; give more rows or lower min_samples`,
      { evidence: { n_samples: nSamples, min_samples: minSamples } },
    );
  }
  if (distinct.size < 2) {
    throw new TrainingError(
      'CONSTANT_TARGET',
      `target "${target.name}" has ${distinct.size} distinct value(s)${task === 'regression' ? ' as float32' : ''} in ${nSamples} rows; there is nothing to learn`,
      { evidence: { target: target.name, n_samples: nSamples } },
    );
  }
  if (task === 'classification') {
    checkClassCount(target, distinct.size, nSamples);
    for (const value of distinct) checkLabel(target, value);
  }
}

function checkClassCount(target: Column, nClasses: number, nSamples: number): void {
  const nearlyUnique = nClasses > FEW_CLASSES && nClasses > nSamples / 2;
  if (nClasses <= MAX_CLASSES && !nearlyUnique) return;
  throw new TrainingError(
    'TOO_MANY_CLASSES',
    `target "${target.name}" has n_classes=${nClasses} in n_samples=${nSamples}; classification takes at most ${MAX_CLASSES} classes and at most one class per two rows; choose regression, another target, or group the classes`,
    { evidence: { target: target.name, n_classes: nClasses, n_samples: nSamples } },
  );
}

/** Labels are kept with the version and answered as predictions: what cannot be kept as it is would be another label. */
function checkLabel(target: Column, value: number): void {
  if (target.type === 'category') {
    const label = target.categories[value]!;
    if (!label.includes('\0') && label.isWellFormed()) return;
    throw new TrainingError(
      'LABEL_NOT_STORABLE',
      `the class ${JSON.stringify(label.slice(0, 64))} of target "${target.name}" holds ${label.includes('\0') ? 'the character NUL' : 'half of a surrogate pair'}; remove it from the data`,
      { evidence: { target: target.name } },
    );
  }
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  throw new TrainingError(
    'LABEL_TOO_LARGE',
    `the class ${value} of target "${target.name}" lies beyond 2^53, where numbers next to each other are taken for one; send it as text`,
    { evidence: { target: target.name, label: value } },
  );
}

/** onnxruntime ends a text at NUL, so a graph would take the category for another one. */
function checkCategories(feature: Column): void {
  if (feature.type !== 'category') return;
  const suspects = feature.categories.flatMap((category, code) => (category.includes('\0') ? [code] : []));
  if (suspects.length === 0) return;
  const row = feature.codes.findIndex((code) => suspects.includes(code));
  if (row < 0) return;
  const category = feature.categories[feature.codes[row]!]!;
  throw new TrainingError(
    'CATEGORY_NOT_STORABLE',
    `feature "${feature.name}" holds ${JSON.stringify(category.slice(0, 64))} in row ${row}; categories must not hold the character NUL, remove it from the data`,
    { evidence: { feature: feature.name, row } },
  );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}
