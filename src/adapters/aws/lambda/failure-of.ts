import { statusByCode } from '../../../contracts/problem-status.ts';
import { MLFrameworkError } from '../../../errors.ts';

const accessDenied = new Set(['AccessDenied', 'AccessDeniedException']);
const unavailable = new Set([
  'ServiceUnavailable',
  'InternalError',
  'SlowDown',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestTimeout',
  'TimeoutError',
]);
const networkFailures = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** Names what went wrong, without the inside of what went wrong. */
export function failureOf(
  error: unknown,
): Pick<MLFrameworkError, 'code' | 'message' | 'errors'> & Partial<Pick<MLFrameworkError, 'evidence'>> {
  if (error instanceof MLFrameworkError && error.code in statusByCode) return error;
  const { name, code, status = 0 } = (error ?? {}) as { name?: string; code?: string; status?: number };
  if (name !== undefined && accessDenied.has(name)) {
    return {
      code: 'STORE_ACCESS_DENIED',
      message: `${name}: the function's role may not do this; check the deployment's policies`,
      errors: [],
    };
  }
  const isUnavailable =
    status >= 500 ||
    (name !== undefined && unavailable.has(name)) ||
    (code !== undefined && networkFailures.has(code));
  if (isUnavailable) {
    return {
      code: 'STORE_UNAVAILABLE',
      message: 'a store did not answer; send the request again',
      errors: [],
    };
  }
  return {
    code: 'INTERNAL',
    message: 'the platform failed; send the request again, or report the request_id',
    errors: [],
  };
}
