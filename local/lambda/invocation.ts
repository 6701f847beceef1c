/** What came of one call of a function. */
export type InvocationResult =
  | { readonly ok: true; readonly payload: Buffer }
  /** `payload` is Lambda's error document: errorType, errorMessage, trace. */
  | { readonly ok: false; readonly payload: Buffer; readonly errorType: string };

export interface Invocation {
  readonly requestId: string;
  readonly payload: Buffer;
  readonly traceId: string;
  /** Of a call to a function that isolates its tenants. */
  readonly tenantId: string | undefined;
  resolve(result: InvocationResult): void;
}

/** Lambda's limit on request and response of a synchronous call. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

export function functionError(errorType: string, errorMessage: string): InvocationResult {
  return {
    ok: false,
    errorType,
    payload: Buffer.from(JSON.stringify({ errorType, errorMessage, trace: [] })),
  };
}

/** Reads the error type out of what a function reported. */
export function reportedError(payload: Buffer): InvocationResult {
  let errorType = 'Error';
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    if (value !== null && typeof value === 'object' && 'errorType' in value)
      errorType = String(value.errorType);
  } catch {
    // The runtime always reports JSON; anything else is still an error.
  }
  return { ok: false, errorType, payload };
}
