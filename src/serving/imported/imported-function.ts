import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { isTenantKey } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ModelCache } from '../model-cache.ts';
import {
  GraphOutputError,
  type GraphRuntime,
  outputOf,
  type RunnableGraph,
  TensorValueError,
  tensorsOf,
  wantedOutputs,
} from './graph-tensors.ts';
import {
  type ImportedAnswer,
  type ImportedArtifact,
  type ImportedCall,
  receivedRows,
  sentOutput,
} from './imported-message.ts';
import { SelfTestError, selfTest } from './self-test.ts';

/** Resident memory of a session over its file's bytes (measured 5 to 6), and what any session takes. */
const residentFactor = 6;
const residentBaseBytes = 512 * 1024;

/** A graph in the memory of its tenant's environment. */
export interface ResidentGraph {
  readonly residentBytes: number;
  readonly graph: RunnableGraph;
  readonly loadMs: number;
  release(): Promise<void>;
}

/** The file did not come, whatever is in it. */
class GraphUnreadableError extends Error {}

/** The stored bytes are not those that were registered. */
class GraphDamagedError extends Error {}

export interface ImportedFunctionParts {
  readonly runtime: GraphRuntime;
  readonly fetch: (url: string) => Promise<Uint8Array>;
  readonly cache: ModelCache<ResidentGraph>;
  readonly residentBytes: () => number;
  readonly clock: Clock;
}

/** What runs graphs that were brought: one tenant's, in an environment of its own. */
export class ImportedFunction {
  readonly #parts: ImportedFunctionParts;

  constructor(parts: ImportedFunctionParts) {
    this.#parts = parts;
  }

  /** @param tenant whom Lambda says that this environment is for */
  async answer(tenant: TenantContext, call: ImportedCall): Promise<ImportedAnswer> {
    try {
      requireOwn(tenant, call.artifact);
      return await this.#parts.cache.use(
        { tenantId: tenant.tenantId, id: call.artifact.sha256 },
        { predictedBytes: call.artifact.bytes * residentFactor + residentBaseBytes },
        () => this.#load(call.artifact),
        (resident) => work(resident, call),
      );
    } catch (error) {
      return failure(error, call.kind);
    }
  }

  async #load({ url, sha256 }: ImportedArtifact): Promise<ResidentGraph> {
    const { runtime, fetch, clock, residentBytes } = this.#parts;
    const bytes = await fetch(url).catch((cause: unknown) => {
      throw new GraphUnreadableError((cause as Error).message);
    });
    if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      throw new GraphDamagedError(`the file does not have the sha256 ${sha256}`);
    const [beforeBytes, beforeMs] = [residentBytes(), clock.nowMs()];
    const graph = await runtime.load(bytes);
    return {
      graph,
      loadMs: clock.nowMs() - beforeMs,
      residentBytes: Math.max(residentBaseBytes, residentBytes() - beforeBytes),
      release: () => graph.release(),
    };
  }
}

/** Whatever the message says, an environment opens files of its own tenant only. */
function requireOwn(tenant: TenantContext, { url }: ImportedArtifact): void {
  const path = decodeURIComponent(new URL(url).pathname);
  const key = path.slice(Math.max(0, path.indexOf('tenants/')));
  if (!isTenantKey(tenant, key))
    throw new GraphDamagedError('the file is not of the tenant of this environment');
}

async function work(
  { graph, loadMs, residentBytes }: ResidentGraph,
  call: ImportedCall,
): Promise<ImportedAnswer> {
  if (call.kind === 'load') return { ok: true };
  if (call.kind === 'self-test') {
    const { nRows, acceptsMissing } = await selfTest(graph, call.graph);
    return {
      ok: true,
      self_test: {
        n_rows: nRows,
        load_ms: loadMs,
        resident_bytes: residentBytes,
        accepts_missing: acceptsMissing,
      },
    };
  }
  const batch = receivedRows(call.rows!);
  const tensors = await graph.run(tensorsOf(call.graph, batch), wantedOutputs(call.graph));
  return { ok: true, output: sentOutput(outputOf(call.graph, tensors, batch.nRows)) };
}

function failure(error: unknown, kind: ImportedCall['kind']): ImportedAnswer {
  const message = (error as Error).message.slice(0, 500);
  if (error instanceof GraphDamagedError) return { ok: false, code: 'ARTIFACT_DAMAGED', message };
  if (error instanceof GraphUnreadableError) return { ok: false, code: 'STORE_UNAVAILABLE', message };
  if (kind === 'self-test' || error instanceof SelfTestError)
    return { ok: false, code: 'MODEL_SELF_TEST_FAILED', message };
  if (error instanceof TensorValueError) return { ok: false, code: 'INVALID_INPUT', message };
  const shown = error instanceof GraphOutputError ? message : message.split('\n')[0]!;
  return { ok: false, code: 'IMPORTED_MODEL_FAILED', message: shown };
}
