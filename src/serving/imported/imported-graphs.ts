import { PredictionError } from '../../errors.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ImportedAnswer, ImportedCall } from './imported-message.ts';

/** Where graphs that were brought are run: in environments that never see two tenants. */
export interface ImportedGraphs {
  /** How long all parts of one call's rows may take together. @default - each part has its own time */
  readonly rowsWithinMs?: number | undefined;
  /** @returns a link to the file of a graph, for some minutes */
  link(tenant: TenantContext, key: string): Promise<string>;
  /**
   * @param timeoutMs - at most as long as a call of the function may take
   * @throws {ImportedEnvironmentError}
   * @throws {ImportedBusyError}
   */
  call(tenant: TenantContext, call: ImportedCall, timeoutMs?: number): Promise<ImportedAnswer>;
}

/** The environment that ran a graph ended without an answer; the next call has another one. */
export class ImportedEnvironmentError extends PredictionError {
  constructor(
    code: 'IMPORTED_MODEL_CRASHED' | 'IMPORTED_MODEL_TIMED_OUT' | 'IMPORTED_MODEL_OUT_OF_MEMORY',
    cause: string,
  ) {
    super(code, messages[code], { cause });
  }
}

const messages = {
  IMPORTED_MODEL_CRASHED:
    'the environment of the imported graph ended without an answer; send the request again, or with fewer rows',
  IMPORTED_MODEL_TIMED_OUT:
    'the imported graph did not answer within 15 s; send fewer rows, or import a smaller graph',
  IMPORTED_MODEL_OUT_OF_MEMORY:
    'the imported graph needed more than the 1769 MiB of its environment; send fewer rows, or import a smaller graph',
} as const;

/** All environments that may run imported graphs are at work. */
export class ImportedBusyError extends PredictionError {
  constructor() {
    super('CONCURRENCY_LIMITED', 'all environments for imported graphs are at work; send the request again', {
      evidence: { retry_after_seconds: 1 },
    });
  }
}

/** The graph runs, and gives nothing for these rows. */
export class ImportedModelError extends PredictionError {
  constructor(message: string) {
    super('IMPORTED_MODEL_FAILED', `the imported graph failed on these rows: ${message}`);
  }
}

/** A version that was imported is asked for where nothing runs imported graphs. */
export class ImportedNotServedError extends PredictionError {
  constructor(model: string, version: string) {
    super(
      'IMPORTED_MODEL_NOT_SERVED',
      `version ${version} of model ${model} was imported, and nothing here runs imported graphs; ask the platform for its predictions, or run the ONNX file with onnxruntime`,
    );
  }
}
