import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ImportInspection } from '../contracts/imported.ts';
import type { ModelManifest } from '../contracts/models.ts';
import { UploadNotFoundError, type UploadStore } from '../data/upload-store.ts';
import { MLFrameworkError } from '../errors.ts';
import { inspectModel } from '../ml/onnx/inspect/inspect-model.ts';
import { ImportedEnvironmentError, type ImportedGraphs } from '../serving/imported/imported-graphs.ts';
import type { ImportedCall, SelfTestResult } from '../serving/imported/imported-message.ts';
import { objectKeys } from '../tenancy/keys.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from '../training/artifact-store.ts';
import type { JobStore } from '../training/job-store.ts';
import { softwareVersions } from '../training/software-versions.ts';
import {
  beginImportStep,
  type ImportJob,
  type ImportState,
  type ImportStepEvent,
} from './begin-import-step.ts';
import { describedImport } from './described-import.ts';
import type { ImportWork } from './import-work.ts';
import { ModelRefusedError } from './model-refused-error.ts';

export interface InspectParts {
  readonly jobs: JobStore;
  readonly uploads: UploadStore;
  readonly artifacts: ArtifactStore;
  /** Where the file is tried: nothing here runs it. Its links lead to uploads. */
  readonly graphs: ImportedGraphs;
  readonly clock: Clock;
}

/**
 * Looks at a file without running it, then has it tried where it will be served. What is stored is what was looked at,
 * byte for byte.
 * @throws {ModelRefusedError}
 */
export async function inspectStep(
  event: ImportStepEvent<'inspect'>,
  parts: InspectParts,
  requestId: string,
): Promise<ImportState> {
  const { tenant, job } = await beginImportStep(parts, event, requestId);
  try {
    return await inspected(tenant, job, parts);
  } catch (error) {
    if (error instanceof ModelRefusedError) {
      await parts.jobs.record(tenant, job.job_id, { refusal: error.refusal });
      await discard(tenant, job, parts);
    }
    throw error;
  }
}

async function inspected(tenant: TenantContext, job: ImportJob, parts: InspectParts): Promise<ImportState> {
  const { jobs, uploads, artifacts } = parts;
  const upload = await uploads.get(tenant, job.upload_id);
  if (upload === undefined || !('import' in upload)) throw new UploadNotFoundError(job.upload_id);
  const { import: request } = upload;
  const bytes = await uploads.read(tenant, upload);
  const sha256 = createHash('sha256').update(bytes).digest();
  requireDigest(request, sha256);
  const found = inspectModel(bytes);
  if (found.kind === 'refused') {
    const { code, reason, remedy } = found;
    throw new ModelRefusedError({ code, reason, remedy });
  }
  const described = describedImport(found, request);
  const inspection: ImportInspection = {
    ...{ producer: found.producer, opsets: { ...found.opsets }, operators: { ...found.operators } },
    parameter_bytes: found.parameterBytes,
    n_features: described.features.length,
    ...shown(described),
  };
  await jobs.record(tenant, job.job_id, { inspection });
  await jobs.progress(tenant, job.job_id, { step: 'self-test', progress: 0.4 });
  const tried = await selfTest(tenant, job, parts, {
    artifact: { url: '', sha256: sha256.toString('hex'), bytes: bytes.byteLength },
    graph: described.signature,
  });
  const signature = { ...described.signature, accepts_missing: tried.accepts_missing };
  await jobs.record(tenant, job.job_id, {
    inspection: { ...inspection, ...shown({ ...described, signature }) },
  });
  const { framework, description, model_name } = request;
  const manifest: ModelManifest = {
    model_name,
    // The job's own start, so that a repeated step writes the same build again.
    build_id: `${job.created_at.replaceAll(/[-:]|\.\d+/g, '')}-${sha256.toString('hex').slice(0, 8)}-${job.job_id.slice(-6).toLowerCase()}`,
    origin: 'imported',
    ...{ task: described.task, framework, features: described.features },
    ...(described.classes === undefined ? {} : { classes: [...described.classes] }),
    metrics: {},
    imported: signature,
    self_test: { n_rows: tried.n_rows, load_ms: tried.load_ms, resident_bytes: tried.resident_bytes },
    artifact: { format: 'onnx', sha256: sha256.toString('hex'), bytes: bytes.byteLength },
    job_id: job.job_id,
    ...(description === undefined ? {} : { notes: description }),
    software: softwareVersions(),
    created_at: job.created_at,
  };
  const stored = await artifacts.put(tenant, manifest, bytes);
  await discard(tenant, job, parts);
  return { build_id: manifest.build_id, manifest_sha256: stored.manifestSha256 };
}

/** A job is an item of at most 400 kB; versions keep what a job has no room for. */
const maxShown = 100;

function shown(described: ReturnType<typeof describedImport>) {
  const { task, features, classes, signature } = described;
  return {
    task,
    features: features.slice(0, maxShown),
    ...(classes === undefined ? {} : { classes: classes.slice(0, maxShown) }),
    signature: {
      ...signature,
      inputs: signature.inputs.slice(0, maxShown),
      ...(signature.graph_classes === undefined
        ? {}
        : { graph_classes: signature.graph_classes.slice(0, maxShown) }),
    },
  };
}

/** A bit that flipped on the way is a model that answers wrongly and looks right. */
function requireDigest({ content_digest }: ImportWork, sha256: Buffer): void {
  if (content_digest === undefined) return;
  const is = `sha-256=:${sha256.toString('base64')}:`;
  if (is === content_digest) return;
  throw new ModelRefusedError({
    code: 'DIGEST_MISMATCH',
    reason: `the file that arrived has the digest ${is}, and ${content_digest} was announced`,
    remedy: 'send the file again; it was changed on its way',
  });
}

async function selfTest(
  tenant: TenantContext,
  job: ImportJob,
  { graphs }: InspectParts,
  { artifact, graph }: Pick<ImportedCall, 'artifact' | 'graph'>,
): Promise<SelfTestResult> {
  const refused = (reason: string) =>
    new ModelRefusedError({
      code: 'MODEL_SELF_TEST_FAILED',
      reason,
      remedy: 'run the file with onnxruntime on rows of 0, 1 and 2, and export it again',
    });
  const url = await graphs.link(tenant, objectKeys.upload(tenant, job.upload_id));
  const answer = await graphs
    .call(tenant, { kind: 'self-test', artifact: { ...artifact, url }, graph })
    .catch((error: unknown) => {
      throw error instanceof ImportedEnvironmentError ? refused(`${error.code}: ${error.message}`) : error;
    });
  if (!answer.ok && answer.code !== 'MODEL_SELF_TEST_FAILED')
    throw new MLFrameworkError(answer.code, `${answer.message}; start the import again`);
  if (!answer.ok) throw refused(answer.message);
  if (answer.self_test === undefined) throw refused('it gave no result');
  return answer.self_test;
}

const discard = async (tenant: TenantContext, job: ImportJob, { uploads }: InspectParts): Promise<void> => {
  const upload = await uploads.get(tenant, job.upload_id);
  if (upload !== undefined) await uploads.discard(tenant, upload);
};
