/**
 * The public surface: the platform over HTTP, the HTTP client itself, versions in a file, and the learners as a library.
 * Nothing else of `src` is meant to be imported.
 */

export { ThreadPool } from './adapters/worker-threads/thread-pool.ts';
export { type BatchPrediction, type BatchPredictOptions, BatchPredictor } from './client/batch-predictor.ts';
export { PlatformUnavailableError } from './client/check-platform.ts';
export { Connection, type ConnectionOptions, TenantMismatchError } from './client/connection.ts';
export {
  type CheckedConnectionOptions,
  createMLSystem,
  createModelManager,
  createPredictor,
  createTrainer,
  type MLSystemOptions,
} from './client/create-ml-system.ts';
export { DataProcessor, type DataSource } from './client/data-processor.ts';
export { DownloadError } from './client/download-file.ts';
export { JobFailedError } from './client/follow-job.ts';
export { ApiError, HttpClient, ModelNotFoundError, UnreachableError } from './client/http-client.ts';
export { MLModelManager, type RecordFeedbackOptions } from './client/ml-model-manager.ts';
export { MLSystem, type PlatformWarning } from './client/ml-system.ts';
export { MLOpsPipeline, type PipelineOptions, type PipelineRun } from './client/mlops-pipeline.ts';
export { type DeployOptions, ModelDeployment } from './client/model-deployment.ts';
export { type ListModelsOptions, ModelManager } from './client/model-manager.ts';
/** The pipeline's name for version control is that of the same thing: the platform's registry. */
export { ModelRegistry, ModelRegistry as ModelVersioning } from './client/model-registry.ts';
export {
  ModelTrainer,
  type ModelTrainerOptions,
  type SaveTrainingRunOptions,
  type TrainingRun,
} from './client/model-trainer.ts';
export type { RowInput, RowsInput } from './client/prediction-input.ts';
export {
  type BatchedPrediction,
  type PredictBatchOptions,
  type PredictOptions,
  Predictor,
} from './client/predictor.ts';
export { RealtimePredictor } from './client/realtime-predictor.ts';
export type { TableInput } from './client/rows.ts';
export { Trainer, type TrainingResult, type TrainModelOptions } from './client/trainer.ts';
export { TrainingConfig, type TrainingConfigFields } from './client/training-config.ts';
export type { TrainingData } from './client/training-data.ts';
export { createModelServer, type ModelServer, type ModelServerOptions } from './composition/model-server.ts';
export {
  MLFrameworkError,
  MLTrainingError,
  ModelLoadError,
  ModelSaveError,
  PredictionError,
  TrainingError,
  ValidationError,
} from './errors.ts';
export { algorithms, resolveHyperparameters } from './ml/algorithms.ts';
export type { Algorithm } from './ml/catalogue/algorithm.ts';
export { type Explanation, explain, importanceOf } from './ml/explain/explain.ts';
export { type PermutationImportance, permutationImportance } from './ml/explain/permutation-importance.ts';
export { estimateFitBytes, type FitSize } from './ml/fit-memory.ts';
export type { Hyperparameter, HyperparameterValue } from './ml/hyperparameter.ts';
export { type ClassReport, classificationMetrics, classReport } from './ml/metrics/classification-metrics.ts';
export { confusionMatrix, normalizedConfusion } from './ml/metrics/confusion-matrix.ts';
export { type CalibrationCurve, calibrationCurve } from './ml/metrics/curves/calibration-curve.ts';
export { type GainCurve, gainCurve } from './ml/metrics/curves/gain-curve.ts';
export {
  type PrecisionRecallCurve,
  precisionRecallCurve,
} from './ml/metrics/curves/precision-recall-curve.ts';
export { type Residuals, residualPoints } from './ml/metrics/curves/residuals.ts';
export { type RocCurve, rocCurve } from './ml/metrics/curves/roc-curve.ts';
export { type MetricProperties, metricTable } from './ml/metrics/metric-table.ts';
export { regressionMetrics } from './ml/metrics/regression-metrics.ts';
export { modelMetrics } from './ml/metrics/score-model.ts';
export { autoCandidates, autoRace } from './ml/model-selection/auto.ts';
export type { Candidate, CandidateResult, Race } from './ml/model-selection/candidate.ts';
export { chooseWinner, type LeaderboardEntry, type RaceResult } from './ml/model-selection/choose-winner.ts';
export { type CrossValidationResult, crossValidate } from './ml/model-selection/cross-validate.ts';
export { foldsOf } from './ml/model-selection/folds.ts';
export { type LearningCurve, learningCurve } from './ml/model-selection/learning-curve.ts';
export { planSearch, type SearchPlan } from './ml/model-selection/plan-search.ts';
export { runRace, searchHyperparameters } from './ml/model-selection/run-race.ts';
export type { Distribution, SearchSpace } from './ml/model-selection/search-space.ts';
export { defaultSearchSpace } from './ml/model-selection/search-spaces.ts';
export type { Fold, Splitter } from './ml/model-selection/splitter.ts';
export { exportOnnx, onnxInputs } from './ml/onnx/export-onnx.ts';
export type { ParallelExecutor } from './ml/parallel-executor.ts';
export {
  type ClassLabel,
  type FeatureSpec,
  type FitHooks,
  type FitResult,
  fitPipeline,
  type PipelineModel,
  type PipelineSpec,
  type Predictions,
  pipelineFromJSON,
  type Task,
} from './ml/pipeline.ts';
export { classTarget } from './ml/preprocessing/target.ts';
export { type Split, type SplitRows, splitRows } from './ml/split.ts';
export {
  type CategoryColumn,
  type Column,
  categoryColumn,
  columnNamed,
  createTable,
  type NumericColumn,
  type Table,
  takeRows,
} from './ml/table.ts';
export { type RecordValue, tableFromRecords } from './ml/table-from-records.ts';
export type { ImportOptions } from './ml/tree/import/imported-model.ts';
export { importLightgbm } from './ml/tree/import/lightgbm.ts';
export { importXgboost } from './ml/tree/import/xgboost.ts';
export { ModelFramework } from './registry/local-versions/model-framework.ts';
export { ModelMetadata, type ModelMetadataOptions } from './registry/local-versions/model-metadata.ts';
export { ModelMetrics } from './registry/local-versions/model-metrics.ts';
export { ModelStage } from './registry/local-versions/model-stage.ts';
export {
  type CreateModelVersionOptions,
  createModelVersion,
  ModelVersion,
} from './registry/local-versions/model-version.ts';
export { ModelVersionManager } from './registry/local-versions/model-version-manager.ts';
export { type PromotionDecision, shouldPromote } from './registry/promotion-decision.ts';
export { type Bump, compareVersions, nextVersion } from './registry/semantic-version.ts';
