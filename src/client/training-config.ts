import { z } from 'zod';
import { DatasetId, ModelName } from '../contracts/names.ts';
import { parseWith } from '../contracts/parse-with.ts';
import { HyperparameterValue } from '../contracts/selection.ts';
import { Task } from '../contracts/training.ts';
import { refusedField } from './refused-field.ts';
import type { TrainingData } from './training-data.ts';

/** Bounds and defaults are those of a training request. */
const Fields = z
  .strictObject({
    modelType: Task,
    modelName: ModelName.optional(),
    trainingDataQuery: refusedField(
      'queries are not run by the platform yet: make a dataset of what it would select, and give its id as datasetId, or its rows as data',
    ),
    datasetId: DatasetId.optional(),
    data: z
      .union([z.array(z.record(z.string(), z.unknown())), z.strictObject({ file: z.string() })])
      .optional(),
    featureColumns: z.array(z.string().min(1)).min(1).max(2_000).optional(),
    targetColumn: z.string().min(1),
    testSize: z.number().min(0.05).max(0.5).default(0.2),
    minSamples: z.int().min(2).max(1_000_000_000).default(100),
    hyperparameters: z.record(z.string(), HyperparameterValue).default({}),
  })
  .refine(({ datasetId, data }) => (datasetId === undefined) !== (data === undefined), {
    error: 'give either datasetId or data',
    path: ['datasetId'],
  })
  .refine(({ featureColumns, targetColumn }) => featureColumns?.includes(targetColumn) !== true, {
    error: 'must not hold targetColumn: a model would learn what it is to say',
    path: ['featureColumns'],
  });

export interface TrainingConfigFields {
  readonly modelType: 'classification' | 'regression';
  /** @default - the model type */
  readonly modelName?: string;
  /** A dataset of the platform. */
  readonly datasetId?: string;
  /** Records that hold the target too, or a file. */
  readonly data?:
    | readonly Readonly<Record<string, string | number | boolean | Date | null | undefined>>[]
    | { readonly file: string };
  /** Refused: queries are not run by the platform yet. */
  readonly trainingDataQuery?: never;
  /** Columns to learn from. @default - all but the target */
  readonly featureColumns?: readonly string[];
  readonly targetColumn: string;
  /** Share that is held out to measure on, 0.05 to 0.5. @default 0.2 */
  readonly testSize?: number;
  /** Least rows with a target. @default 100 */
  readonly minSamples?: number;
  /** By scikit-learn's names. @default - those of the algorithm */
  readonly hyperparameters?: Readonly<Record<string, z.input<typeof HyperparameterValue>>>;
}

/** What is to be trained, on what; checked when it is made. */
export class TrainingConfig {
  readonly modelType: 'classification' | 'regression';
  readonly modelName: string;
  readonly trainingData: TrainingData;
  readonly featureColumns: readonly string[] | undefined;
  readonly targetColumn: string;
  readonly testSize: number;
  readonly minSamples: number;
  readonly hyperparameters: Readonly<Record<string, z.output<typeof HyperparameterValue>>>;

  /** @throws {ValidationError} whose `errors` name every field that breaks a rule */
  constructor(config: TrainingConfigFields) {
    const fields = parseWith(Fields, config, 'TrainingConfig');
    this.modelType = fields.modelType;
    this.modelName = fields.modelName ?? fields.modelType;
    this.trainingData = fields.datasetId === undefined ? config.data! : { datasetId: fields.datasetId };
    this.featureColumns = fields.featureColumns;
    this.targetColumn = fields.targetColumn;
    this.testSize = fields.testSize;
    this.minSamples = fields.minSamples;
    this.hyperparameters = fields.hyperparameters;
  }
}
