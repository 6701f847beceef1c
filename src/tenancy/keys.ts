import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { DatasetId, JobId, KeyId, ModelName, Subject, UploadId } from '../contracts/names.ts';
import type { TenantContext } from './tenant-context.ts';

/**
 * The only builder of S3 and DynamoDB keys. Every prefix ends in its separator, so that tenant `a` is never a
 * prefix of tenant `ab`; every variable part is a branded type whose pattern holds no separator.
 */

type ItemKey = { readonly pk: string; readonly sk: string };

const root = (tenant: TenantContext): string => `tenants/${tenant.tenantId}/`;

/** Files that the steps of a job leave for each other. */
export type WorkFileName =
  | 'split.bin'
  | 'plan.json'
  | 'candidate.json'
  | 'selection.json'
  | 'model.json'
  | 'checkpoint.json'
  | 'evaluation.json';

/** What names an object of the prediction log, all of it numbers and hex digits. */
export interface PredictionBatchName {
  /** Some time in the minute of its rows. */
  readonly timeMs: number;
  readonly environment: string;
  readonly batch: number;
}

const minutesLeft = (timeMs: number): string =>
  String(1439 - (Math.floor(timeMs / 60_000) % 1440)).padStart(4, '0');

/** Counted backwards as minutes are. Ids hold 24 bits of a batch's number. */
const lastBatch = 0xffffff;
const batchesLeft = (batch: number): string => (lastBatch - batch).toString(16).padStart(6, '0');

/** Files of one build of a model. */
export type ModelFileName = 'model.onnx' | 'manifest.json' | 'manifest.sig' | 'explainer.json.gz';

/** Keys of objects in S3. */
export const objectKeys = {
  /** Everything of a tenant. */
  all: root,
  datasets: (t: TenantContext) => `${root(t)}datasets/`,
  datasetManifest: (t: TenantContext, id: DatasetId) => `${root(t)}datasets/${id}/manifest.json`,
  /** By its content: of two that are written at once, each manifest finds its own. */
  datasetParquet: (t: TenantContext, id: DatasetId, sha256: string) =>
    `${root(t)}datasets/${id}/${sha256}.parquet`,
  upload: (t: TenantContext, id: UploadId) => `${root(t)}uploads/${id}/source`,
  jobFile: (t: TenantContext, job: JobId, file: WorkFileName, sha256: string) =>
    `${root(t)}jobs/${job}/${sha256}/${file}`,
  modelFile: (t: TenantContext, model: ModelName, buildId: string, file: ModelFileName) =>
    `${root(t)}models/${model}/builds/${buildId}/${file}`,
  predictions: (t: TenantContext) => `${root(t)}predictions/`,
  predictionDay: (t: TenantContext, timeMs: number) =>
    `${root(t)}predictions/dt=${new Date(timeMs).toISOString().slice(0, 10)}/`,
  /** Minutes, and the batches of an environment, are counted backwards: a listing, which ascends, begins with the newest. */
  predictionBatch: (t: TenantContext, at: PredictionBatchName) =>
    `${objectKeys.predictionDay(t, at.timeMs)}${minutesLeft(at.timeMs)}-${at.environment}-${batchesLeft(at.batch)}.ndjson.gz`,
  /** By its rows: scored again it is the same part, and one that is there need not be. */
  batchPart: (t: TenantContext, job: JobId, { from, count }: { from: number; count: number }) =>
    `${root(t)}batch/${job}/parts/${from}-${count}.parquet`,
  batchResult: (t: TenantContext, job: JobId, format: 'parquet' | 'csv' | 'json') =>
    `${root(t)}batch/${job}/result.${format}`,
  /** Written last: a result is whole when its manifest is there. */
  batchManifest: (t: TenantContext, job: JobId) => `${root(t)}batch/${job}/manifest.json`,
  /** Rows that a caller sent instead of a dataset. */
  batchRows: (t: TenantContext, job: JobId) => `${root(t)}batch/${job}/rows.json`,
  /** Of the platform, not of a tenant: asked for by the health probe, and never there. */
  healthProbe: 'platform/health/probe',
} as const;

export const jobPrefix = 'job/';
export const apiKeyPrefix = 'api-key/';
export const memberPrefix = 'member/';
export const settingsSort = 'settings/';

const partition = (tenant: TenantContext): string => `tenant/${tenant.tenantId}/`;

/** Keys of items in DynamoDB. */
export const itemKeys = {
  partition,
  servingPointer: (t: TenantContext, model: ModelName, environment?: TrialEnvironment): ItemKey => ({
    pk: partition(t),
    sk: environment === undefined ? `model/${model}/` : `model/${model}/environment/${environment}/`,
  }),
  promotionIntent: (t: TenantContext, model: ModelName, intentId: string): ItemKey => ({
    pk: partition(t),
    sk: `model/${model}/intent/${intentId}/`,
  }),
  job: (t: TenantContext, job: JobId): ItemKey => ({ pk: partition(t), sk: `job/${job}/` }),
  upload: (t: TenantContext, upload: UploadId): ItemKey => ({ pk: partition(t), sk: `upload/${upload}/` }),
  schedule: (t: TenantContext, model: ModelName): ItemKey => ({ pk: partition(t), sk: `schedule/${model}/` }),
  /** The run of a retraining that was asked for: at most one a model. */
  retraining: (t: TenantContext, model: ModelName): ItemKey => ({
    pk: partition(t),
    sk: `retraining/${model}/`,
  }),
  /** Ids sort by time. */
  audit: (t: TenantContext, auditId: string): ItemKey => ({ pk: partition(t), sk: `audit/${auditId}/` }),
  /** Sorts right behind its entry. */
  auditRefusal: (t: TenantContext, auditId: string): ItemKey => ({
    pk: partition(t),
    sk: `audit/${auditId}/refused/`,
  }),
  /**
   * @param before - an id, which is left out with what came after it
   * @param times - first characters of ids, which say their time
   */
  auditRange: (t: TenantContext, before?: string, times: { from?: string; to?: string } = {}) => {
    // "." sorts right before the separator, "~" behind whatever an id holds.
    const ends = [
      ...(before === undefined ? [] : [`audit/${before}.`]),
      ...(times.to === undefined ? [] : [`audit/${times.to}`]),
      'audit/~',
    ];
    return { pk: partition(t), first: `audit/${times.from ?? ''}`, last: ends.sort()[0]! };
  },
  /** By the time of the prediction, so that a window is a range. */
  feedback: (
    t: TenantContext,
    { model, version }: { model: ModelName; version: string },
    of: { predictedAt: string; predictionId: string },
  ): ItemKey => ({
    pk: partition(t),
    sk: `feedback/${model}/${version}/${of.predictedAt}/${of.predictionId}/`,
  }),
  feedbackOf: (t: TenantContext, { model, version }: { model: ModelName; version: string }) => ({
    pk: partition(t),
    prefix: `feedback/${model}/${version}/`,
  }),
  /** What is agreed with the tenant: plan and limits. */
  tenantSettings: (t: TenantContext): ItemKey => ({ pk: partition(t), sk: settingsSort }),
  rateLimit: (t: TenantContext): ItemKey => ({ pk: partition(t), sk: 'rate/' }),
  concurrencySlot: (t: TenantContext, slot: number): ItemKey => ({ pk: partition(t), sk: `slot/${slot}/` }),
  /** The hash is over model, version and input, and says nothing of them. */
  cachedPrediction: (t: TenantContext, hash: string): ItemKey => ({
    pk: partition(t),
    sk: `prediction/${hash}/`,
  }),
  /** Who owns a job: written before the job itself, read by steps that know only its id. */
  jobOwner: (job: string): ItemKey => ({ pk: `job/${job}/`, sk: 'owner/' }),
  /** Of the platform, not of a tenant: the key of the MAC in prediction ids. */
  predictionIdKey: { pk: 'platform/', sk: 'prediction-id-key/' } as ItemKey,
  /** Of the platform: the public half of a key that signs manifests. Key ids of KMS hold no separator. */
  signingKey: (keyId: string): ItemKey => ({ pk: 'platform/', sk: `signing-key/${keyId}/` }),
  /** Of the platform: asked for by the health probe, and never there. */
  healthProbe: { pk: 'platform/', sk: 'health/' } as ItemKey,
  /** Apart from what is the platform's: those who write it may write nothing else there. */
  databaseContact: { pk: 'health/', sk: 'database/' } as ItemKey,
  /** What a key that is sent leads to. */
  apiKey: (sha256: string): ItemKey => ({ pk: `api-key/${sha256}/`, sk: 'key/' }),
  /** What a tenant sees of its keys. */
  listedApiKey: (t: TenantContext, key: KeyId): ItemKey => ({
    pk: partition(t),
    sk: `${apiKeyPrefix}${key}/`,
  }),
  /** Not below the tenant's partition, which is emptied: the mark of a tenant that was offboarded. */
  offboarding: (t: Pick<TenantContext, 'tenantId'>): ItemKey => ({
    pk: `offboarded/${t.tenantId}/`,
    sk: 'mark/',
  }),
  /** What a user's token is made from. */
  membership: (subject: string): ItemKey => ({ pk: `member/${subject}/`, sk: 'membership/' }),
  /** What a tenant sees of its members. */
  listedMember: (t: TenantContext, subject: Subject): ItemKey => ({
    pk: partition(t),
    sk: `${memberPrefix}${subject}/`,
  }),
} as const;

/** Whether an object key, read back from a store, lies under the tenant's own prefix. */
export const isTenantKey = (tenant: TenantContext, key: string): boolean =>
  key.startsWith(root(tenant)) && !key.split('/').includes('..');

/**
 * The endpoint of SageMaker that a tenant calls `name`. No tenant's id holds two hyphens in a row, so that none can
 * name an endpoint of another.
 */
export const endpointName = (tenant: TenantContext, name: string): string =>
  `tenantml--${tenant.tenantId}--${name}`;

const tierPattern = /^[a-z0-9-]{2,63}\/[0-9a-f]{64}$/;

/** Where a copy of an artifact lies below a folder of this machine: never shared across tenants, even when equal. */
export function tierFile(tenant: TenantContext, sha256: string): string {
  const name = `${tenant.tenantId}/${sha256}`;
  // A digest comes from a pointer in a store, and becomes a path here.
  if (!tierPattern.test(name))
    throw new Error(`${JSON.stringify(sha256)} is no sha256 in lower-case hexadecimal`);
  return name;
}

export const isTierFile = (name: string): boolean => tierPattern.test(name);
