import { z } from 'zod';
import { BatchResult, BatchRows } from './batch-result.ts';
import { ImportInspection, ImportRefusal } from './imported.ts';
import { DatasetId, JobId, ModelName, Timestamp } from './names.ts';
import { CrossValidation, HyperparameterValue, Search, selectionFields } from './selection.ts';

export const Task = z.enum(['classification', 'regression']).meta({ id: 'Task' });
export type Task = z.infer<typeof Task>;

export const Algorithm = z
  .enum([
    'gradient_boosting',
    'random_forest',
    'extra_trees',
    'logistic_regression',
    'linear_regression',
    'ridge',
    'lasso',
    'elastic_net',
    'baseline',
  ])
  .meta({ id: 'Algorithm' });
export type Algorithm = z.infer<typeof Algorithm>;

/** What may be asked for: a version's algorithm is never `auto`, but the one that won. */
export const RequestedAlgorithm = z
  .enum([...Algorithm.options, 'auto'])
  .describe('auto races the sensible ones, and a naive and a linear baseline, on the training part')
  .meta({ id: 'RequestedAlgorithm' });
export type RequestedAlgorithm = z.infer<typeof RequestedAlgorithm>;

/** Starts a training job. */
export const ModelTrainingRequest = z
  .strictObject({
    model_name: ModelName,
    dataset_id: DatasetId,
    target: z.string().min(1).describe('The column to predict'),
    model_type: Task.optional().describe('Found from the target when left out'),
    algorithm: RequestedAlgorithm.default('gradient_boosting'),
    hyperparameters: z
      .record(z.string(), HyperparameterValue)
      .default({})
      .describe("By scikit-learn's names; an unknown name is an error that names the nearest"),
    cross_validation: CrossValidation.optional().describe(
      'Measures on folds of the training part as well, and decides by them where candidates are compared',
    ),
    search: Search.optional().describe('Tries other hyperparameters; not with auto'),
    features: z
      .array(z.string().min(1))
      .min(1)
      .max(2_000)
      .optional()
      .describe('Columns to learn from; all but the target when left out'),
    split: z
      .enum(['random', 'every_5th', 'last'])
      .default('random')
      .describe(
        'every_5th: row i is test if i % 5 == 4; last: the last rows are, such as the newest of rows that are ordered by time',
      ),
    test_size: z.number().min(0.05).max(0.5).default(0.2),
    min_samples: z.int().min(2).max(1_000_000_000).default(100),
    random_state: z.int().min(0).max(2_147_483_647).default(42),
    auto_promote: z
      .boolean()
      .default(true)
      .describe(
        'Deploy when there is no champion, or when it is beaten on the same holdout; false where the caller lacks models:deploy',
      ),
    notes: z.string().max(2_000).optional(),
    retrain_every_days: z
      .int()
      .min(1)
      .max(365)
      .nullish()
      .describe("Train again with this request on a schedule; null ends the model's schedule"),
  })
  .meta({ id: 'ModelTrainingRequest' });
export type ModelTrainingRequest = z.infer<typeof ModelTrainingRequest>;

export const JobStatus = z
  .enum(['queued', 'running', 'completed', 'failed', 'timed_out', 'cancelled'])
  .meta({ id: 'JobStatus' });
export type JobStatus = z.infer<typeof JobStatus>;

export const terminalStatuses: readonly JobStatus[] = ['completed', 'failed', 'timed_out', 'cancelled'];

export const ModelTrainingResponse = z
  .object({ job_id: JobId, status: JobStatus, model_name: ModelName, created_at: Timestamp })
  .meta({ id: 'ModelTrainingResponse' });

/**
 * The steps of a training job, in order, as the state machine names them. The three before `fit` run only where there
 * is something to choose or to cross-validate.
 */
export const trainingSteps = [
  'load',
  'validate',
  'split',
  'plan',
  'evaluate-candidate',
  'choose',
  'fit',
  'evaluate',
  'export',
  'register',
  'promotion-gate',
  'deploy',
] as const;

export const JobError = z.object({ code: z.string(), message: z.string(), step: z.string().optional() });

/** The live state of a job. */
export const Job = z
  .object({
    job_id: JobId,
    kind: z.enum(['training', 'ingest', 'batch', 'import']),
    status: JobStatus,
    step: z.string().optional().describe('The step that runs, or the last that ran'),
    progress: z.number().min(0).max(1),
    trigger: z.enum(['request', 'schedule', 'retrain']),
    model_name: ModelName.optional(),
    model_version: z.string().optional(),
    dataset_id: z.string().optional(),
    metrics: z.record(z.string(), z.number()).optional().describe('Of the test part'),
    algorithm: Algorithm.optional().describe('The one that won, where candidates were compared'),
    ...selectionFields,
    promotion: z.object({ decision: z.enum(['deploy', 'keep']), reasons: z.array(z.string()) }).optional(),
    inspection: ImportInspection.optional().describe('Of an import: what was found in the file'),
    refusal: ImportRefusal.optional().describe('Of an import: why the file was refused'),
    rows: BatchRows.optional(),
    result: BatchResult.optional(),
    error: JobError.optional(),
    training_time: z.number().optional().describe('Seconds from start to end'),
    created_at: Timestamp,
    started_at: Timestamp.optional(),
    updated_at: Timestamp,
    ended_at: Timestamp.optional(),
    deadline: Timestamp,
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof Job>;

export const JobList = z
  .object({ items: z.array(Job), next_cursor: z.string().optional() })
  .meta({ id: 'JobList' });
