import { ulid } from 'ulid';
import type { Dataset } from '../../src/contracts/datasets.ts';
import { ModelManifest } from '../../src/contracts/models.ts';
import type { DatasetId, JobId } from '../../src/contracts/names.ts';
import { ModelTrainingRequest } from '../../src/contracts/training.ts';
import type { Registration } from '../../src/registry/model-registry.ts';
import { objectKeys } from '../../src/tenancy/keys.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import type { StoredJob } from '../../src/training/job-store.ts';

export const hex = (digit: string): string => digit.repeat(64);
export const datasetId = (digit = 'd'): DatasetId => hex(digit) as DatasetId;
export const newJobId = (seedMs?: number): JobId => ulid(seedMs) as JobId;

export const sampleRequest = (over: Partial<ModelTrainingRequest> = {}): ModelTrainingRequest => ({
  ...ModelTrainingRequest.parse({
    model_name: 'income',
    dataset_id: datasetId(),
    target: 'income',
    model_type: 'classification',
  }),
  ...over,
});

export const sampleJob = (over: Partial<StoredJob> = {}): StoredJob => ({
  job_id: newJobId(),
  kind: 'training',
  status: 'queued',
  progress: 0,
  trigger: 'request',
  model_name: sampleRequest().model_name,
  dataset_id: datasetId(),
  actor: 'user-of-aa',
  request: sampleRequest(),
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:00:00.000Z',
  deadline: '2026-01-31T12:30:00.000Z',
  ...over,
});

export const sampleDataset = (over: Partial<Dataset> = {}): Dataset => ({
  dataset_id: datasetId(),
  name: 'adult',
  n_rows: 2,
  n_columns: 1,
  columns: [
    { name: 'age', type: 'number', n_missing: 0, n_distinct: 2, min: 1, max: 2, mean: 1.5, std: 0.7 },
  ],
  format: 'csv',
  source_bytes: 8,
  parquet_bytes: 4,
  parquet_sha256: hex('e'),
  created_at: '2026-01-31T12:00:00.000Z',
  ...over,
});

export const sampleManifest = (over: Record<string, unknown> = {}): ModelManifest =>
  ModelManifest.parse({
    model_name: 'income',
    build_id: `20260131T120000Z-${ulid().slice(-8).toLowerCase()}`,
    task: 'classification',
    algorithm: 'gradient_boosting',
    hyperparameters: { n_estimators: 100 },
    target: 'income',
    features: [
      { name: 'age', type: 'number', input: 'age' },
      { name: 'city', type: 'category', input: 'city' },
    ],
    classes: ['no', 'yes'],
    metrics: { f1_score: 0.8, accuracy: 0.9 },
    dataset_id: datasetId(),
    split: { kind: 'random', test_size: 0.2, random_state: 42, n_train: 80, n_test: 20 },
    artifact: { format: 'onnx', sha256: hex('1'), bytes: 1_000 },
    verification: { n_rows: 20, max_absolute_error: 1e-7, max_relative_error: 1e-6 },
    job_id: newJobId(),
    software: { tenantml: '0.1.0' },
    created_at: '2026-01-31T12:00:00.000Z',
    ...over,
  });

/** What the register step hands to the registry for a build of this tenant. */
export const registrationOf = (tenant: TenantContext, manifest: ModelManifest): Registration => ({
  manifest,
  artifactKey: objectKeys.modelFile(tenant, manifest.model_name, manifest.build_id, 'model.onnx'),
  manifestKey: objectKeys.modelFile(tenant, manifest.model_name, manifest.build_id, 'manifest.json'),
  manifestSha256: hex('2'),
  signature: { key_id: 'key-1', algorithm: 'ECDSA_SHA_256', signature: 'AA==' },
});
