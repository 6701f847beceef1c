import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, parse } from 'node:path';
import type { Dataset } from '../contracts/datasets.ts';
import type { PromotionResult } from '../contracts/registry.ts';
import { ModelSaveError, ValidationError } from '../errors.ts';
import { Connection, type ConnectionOptions, modelNameOf } from './connection.ts';
import { DataProcessor } from './data-processor.ts';
import { downloadFile } from './download-file.ts';
import { given } from './given.ts';
import { ModelRegistry } from './model-registry.ts';
import type { OnProgress } from './progress.ts';
import { type CompletedTraining, Trainer, type TrainModelOptions } from './trainer.ts';

export interface ModelTrainerOptions extends ConnectionOptions {
  /** .csv, .tsv, .jsonl, .ndjson (each also .gz) or .parquet */
  readonly datasetPath: string;
  /** Share that is held out to measure on, 0.05 to 0.5. @default 0.2 */
  readonly testSplit?: number;
  /** @default - the last column of the file */
  readonly targetColumn?: string;
  /** @default - the name of the file without its endings */
  readonly modelName?: string;
  /** What everything goes through, instead of `url` and `token`. */
  readonly connection?: Connection;
  readonly onProgress?: OnProgress;
}

type HyperparameterValue = NonNullable<TrainModelOptions['hyperparameters']>[string];

export interface ModelTrainerSettings {
  /** @default 'gradient_boosting' */
  readonly algorithm?: TrainModelOptions['algorithm'];
  readonly modelType?: string;
  /** Hyperparameters, by scikit-learn's names in either spelling: `nEstimators` or `n_estimators`. */
  readonly [hyperparameter: string]: HyperparameterValue | undefined;
}

export interface SaveTrainingRunOptions {
  /** The number that the version is to have. @default - the one that the platform has given */
  readonly modelVersion?: string;
  /** Where `saveModel` wrote the file: it has to be that of this run. */
  readonly modelPath?: string;
  readonly notes?: string;
  /** Deploy it when nothing serves, or when it is better than what does. @default false */
  readonly autoPromote?: boolean;
}

/** The record of a run, as the registry has it now. */
export interface TrainingRun {
  readonly model_name: string;
  readonly model_version: string;
  readonly job_id: string;
  readonly dataset_id: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly training_time: number;
  readonly notes: string;
  readonly model_path?: string;
  /** Where it was to be promoted: whether it was, and why or why not. */
  readonly promotion?: PromotionResult;
}

/** From a file to a version, step by step: load, train, save the model, save the run. */
export class ModelTrainer {
  readonly #connection: Connection;
  readonly #options: ModelTrainerOptions;
  #data: { dataset: Dataset; target: string } | undefined;
  #trained: CompletedTraining | undefined;

  constructor(options: ModelTrainerOptions) {
    const { url, token, tenantId, connection } = options;
    this.#options = options;
    this.#connection = connection ?? new Connection(given({ url, token, tenantId }));
  }

  /**
   * Brings the file to the platform. @returns its columns with their profile, and which of them is learnt
   * @throws {ValidationError} when there is no such file or column, or the name of the file does not say what it is
   * @throws {JobFailedError} when the file is no table
   */
  async loadData(): Promise<Dataset & { readonly target_column: string }> {
    const { datasetPath, targetColumn, onProgress } = this.#options;
    const processor = new DataProcessor(this.#connection);
    const dataset = await processor.createDataset({ file: datasetPath }, given({ onProgress }));
    const names = dataset.columns.map(({ name }) => name);
    const target = targetColumn ?? names.at(-1)!;
    if (!names.includes(target))
      throw new ValidationError(
        `targetColumn ${JSON.stringify(target)} is no column of ${datasetPath}; it has ${names.join(', ')}`,
        { errors: [{ pointer: '/targetColumn', detail: 'must be a column of the file' }] },
      );
    this.#data = { dataset, target };
    return { ...dataset, target_column: target };
  }

  /**
   * Trains on what was loaded. The version is registered with the number that the platform gives, and not deployed:
   * `saveTrainingRun` decides that.
   * @returns metrics of the rows that were held out
   * @throws {TrainingError} when a setting is refused, or the job fails; its code says why
   */
  async train(settings: ModelTrainerSettings = {}): Promise<Readonly<Record<string, number>>> {
    const { algorithm, modelType, ...hyperparameters } = settings;
    if (this.#data === undefined) await this.loadData();
    const { dataset, target } = this.#data!;
    this.#trained = await new Trainer(this.#connection).train({
      modelId: this.modelName,
      trainingData: { datasetId: dataset.dataset_id },
      targetColumn: target,
      testSize: this.#options.testSplit ?? 0.2,
      hyperparameters: Object.fromEntries(
        Object.entries(given(hyperparameters)).map(([name, value]) => [snakeCase(name), value!]),
      ),
      autoPromote: false,
      ...given({ algorithm, modelType, onProgress: this.#options.onProgress }),
    });
    return this.#trained.metrics;
  }

  /**
   * Writes the model of the run, preprocessing included, as one ONNX file.
   * @throws {ModelSaveError} when the name asks for a pickle, or nothing is trained
   * @throws {DownloadError} when it cannot be fetched or written
   */
  async saveModel(path: string): Promise<void> {
    if (!path.toLowerCase().endsWith('.onnx'))
      throw new ModelSaveError(
        `${path} must end in .onnx: models are ONNX files, and pickles, which run code when they are read, are not written`,
      );
    const { model_version } = this.#run();
    const link = await this.#artifact(model_version);
    await mkdir(dirname(path), { recursive: true });
    await downloadFile(link.url, path, link.sha256);
  }

  /**
   * Keeps the run: its notes, its number, and whether it serves. The platform numbers versions by itself. Another number,
   * which has to be above the newest, makes a version of the same bytes; the one that the platform gave stays beside it.
   * @throws {ModelSaveError} when nothing is trained, or the file at `modelPath` is not that of this run
   * @throws {ApiError} VERSION_NUMBER_INVALID and VERSION_NUMBER_TAKEN
   */
  async saveTrainingRun(options: SaveTrainingRunOptions = {}): Promise<TrainingRun> {
    const { modelVersion, modelPath, notes, autoPromote = false } = options;
    const job = this.#run();
    const modelName = this.modelName;
    if (modelPath !== undefined) await this.#requireOwnFile(modelPath, job.model_version);
    const registry = new ModelRegistry(this.#connection);
    const numbered = modelVersion !== undefined && modelVersion !== job.model_version;
    const version = numbered ? modelVersion : job.model_version;
    if (numbered)
      await registry.createVersion({
        ...{ modelName, fromVersion: job.model_version, versionString: version },
        ...given({ notes }),
      });
    else if (notes !== undefined) await registry.updateVersion({ modelName, version, metadata: { notes } });
    const promotion = autoPromote ? await registry.promote({ modelName, version }) : undefined;
    return {
      ...{ model_name: modelName, model_version: version, job_id: job.job_id, dataset_id: job.dataset_id },
      ...{ metrics: job.metrics, training_time: job.training_time ?? 0, notes: notes ?? '' },
      ...given({ model_path: modelPath, promotion }),
    };
  }

  /** @throws {ValidationError} when none was given, and the name of the file is none of a model */
  get modelName(): string {
    return modelNameOf(
      this.#options.modelName ?? parse(this.#options.datasetPath).base.replace(/(\.\w+)(\.gz)?$/, ''),
    );
  }

  #run(): CompletedTraining {
    if (this.#trained !== undefined) return this.#trained;
    throw new ModelSaveError('nothing is trained yet; call train() first');
  }

  #artifact(version: string) {
    const params = { model_name: modelNameOf(this.modelName), model_version: version };
    return this.#connection.client.call('getModelArtifact', { params });
  }

  async #requireOwnFile(path: string, version: string): Promise<void> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    } catch (cause) {
      throw new ModelSaveError(`${path} cannot be read; write it with saveModel first`, { cause });
    }
    if (hash.digest('hex') === (await this.#artifact(version)).sha256) return;
    throw new ModelSaveError(`${path} is not the model of this run; write it with saveModel`);
  }
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
