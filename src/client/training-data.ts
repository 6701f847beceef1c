import type { DatasetId } from '../contracts/names.ts';
import { ValidationError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { type DataSource, datasetOf, isSource } from './data-processor.ts';
import { type OnProgress, progressTo } from './progress.ts';
import { type Cell, cellOf, type Row, rowsOf, type TableInput } from './rows.ts';
import { createDatasetOfRows } from './upload-dataset.ts';

/** Features and what is to be learnt: `[X, y]`, one label a row. */
export type Labelled = readonly [X: TableInput, y: ArrayLike<Cell>];
/** `[X, y]`; or records that hold the target too, a dataset, or a file, each with `targetColumn`. */
export type TrainingData = Labelled | readonly Readonly<Record<string, Cell>>[] | DataSource;

export interface TrainingDataOptions {
  readonly trainingData: TrainingData;
  /** Rows that the model is measured on and does not learn from. @default - the platform draws them from the training data */
  readonly validationData?: Labelled | readonly Readonly<Record<string, Cell>>[];
  /** The column to learn. @default 'target' - for `[X, y]`, which has no name for y */
  readonly targetColumn?: string;
  /** Share of the training data that is held out to measure on. @default 0.2 */
  readonly testSize?: number;
}

/** What a training request says of its data. */
export interface PreparedData {
  readonly dataset_id: DatasetId;
  readonly target: string;
  readonly split?: 'last';
  readonly test_size?: number;
}

/** Bounds of the share that a training holds out. */
const leastShare = 0.05;
const largestShare = 0.5;

/**
 * Brings the data of a training to the platform. Validation rows become the last rows of the dataset, and the part that
 * the training is measured on: it has no other.
 * @throws {ValidationError}
 * @throws {ApiError}
 */
export async function prepareData(
  connection: Connection,
  name: string,
  options: TrainingDataOptions & { readonly onProgress?: OnProgress | undefined },
): Promise<PreparedData> {
  const { trainingData, validationData, testSize, onProgress } = options;
  if (isSource(trainingData)) {
    if (validationData !== undefined)
      throw new ValidationError(
        'validationData goes with rows, and the training data is a dataset; give its rows, or put the validation rows last in it and train with testSize and request { split: "last" }',
      );
    const target = named(options.targetColumn);
    const dataset_id = await datasetOf(connection, trainingData, onProgress);
    return { dataset_id, target, ...(testSize === undefined ? {} : { test_size: testSize }) };
  }
  const target = isLabelled(trainingData) ? (options.targetColumn ?? 'target') : named(options.targetColumn);
  const trained = rowsWithTarget(trainingData, target, 'trainingData');
  const validated =
    validationData === undefined ? [] : rowsWithTarget(validationData, target, 'validationData');
  const test_size =
    validationData === undefined ? testSize : validationShare(trained.length, validated.length, testSize);
  requireSameColumns(trained, validated);
  const progress = progressTo(onProgress);
  const dataset_id = await createDatasetOfRows(connection.client, [...trained, ...validated], {
    name,
    progress,
  });
  return {
    ...{ dataset_id, target },
    ...(test_size === undefined ? {} : { test_size }),
    ...(validationData === undefined ? {} : { split: 'last' as const }),
  };
}

const isLabelled = (data: unknown): data is Labelled =>
  Array.isArray(data) && data.length === 2 && (Array.isArray(data[1]) || ArrayBuffer.isView(data[1]));

function named(targetColumn: string | undefined): string {
  if (targetColumn !== undefined) return targetColumn;
  throw new ValidationError(
    'targetColumn is missing: say which column is to be learnt, or give trainingData as [X, y]',
    { errors: [{ pointer: '/targetColumn', detail: 'required' }] },
  );
}

function rowsWithTarget(data: unknown, target: string, what: string): Row[] {
  if (!isLabelled(data)) {
    if (!Array.isArray(data))
      throw new ValidationError(`${what} must be [X, y], records, {datasetId} or {file}`);
    return rowsOf(data as TableInput);
  }
  const [X, y] = data;
  const rows = rowsOf(X);
  if (rows.length !== y.length)
    throw new ValidationError(
      `${what} has ${rows.length} rows in X and ${y.length} labels in y; give one label a row`,
    );
  if (rows.some((row) => Object.hasOwn(row, target)))
    throw new ValidationError(
      `X of ${what} has a column ${JSON.stringify(target)}, which is the name of y; leave it out, or give y another name with targetColumn`,
    );
  return rows.map((row, i) => ({ ...row, [target]: cellOf(y[i], target, i) }));
}

function validationShare(nTrain: number, nValidation: number, testSize: number | undefined): number {
  if (testSize !== undefined)
    throw new ValidationError(
      `testSize=${testSize} and validationData both say what is measured on; give one of them`,
    );
  const share = nValidation / (nTrain + nValidation);
  if (share >= leastShare && share <= largestShare) return share;
  throw new ValidationError(
    `validationData has ${nValidation} of ${nTrain + nValidation} rows; it must be 5 % to 50 % of all, since the model is measured and compared on it`,
  );
}

/** A column that one part lacks is a mistake more often than missing values. */
function requireSameColumns(trained: readonly Row[], validated: readonly Row[]): void {
  if (validated.length === 0) return;
  const [ours, theirs] = [columnsOf(trained), columnsOf(validated)];
  const lacking = (here: Set<string>, there: Set<string>) => [...here].find((name) => !there.has(name));
  const [unvalidated, untrained] = [lacking(ours, theirs), lacking(theirs, ours)];
  if (unvalidated !== undefined)
    throw new ValidationError(
      `column ${JSON.stringify(unvalidated)} is in trainingData and not in validationData`,
    );
  if (untrained !== undefined)
    throw new ValidationError(
      `column ${JSON.stringify(untrained)} is in validationData and not in trainingData`,
    );
}

function columnsOf(rows: readonly Row[]): Set<string> {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return names;
}
