/**
 * Status and form of error answers. No schema library here: the predict path loads this file.
 */

/** What `Problem` in `problem.ts` describes. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  request_id: string;
  errors: { pointer: string; detail: string }[];
}

/** The HTTP status of every error code that can reach a caller: the one table for the native dialect. */
export const statusByCode: Readonly<Record<string, number>> = {
  INVALID_JSON: 400,
  INVALID_ENCODING: 400,
  UNAUTHENTICATED: 401,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  API_KEY_INVALID: 401,
  TENANT_CLAIM_INVALID: 403,
  ROLE_UNKNOWN: 403,
  SCOPE_MISSING: 403,
  TENANT_OFFBOARDED: 403,
  ROUTE_NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  VERSION_NOT_FOUND: 404,
  VERSION_NOT_SERVED: 404,
  ALIAS_NOT_FOUND: 404,
  DATASET_NOT_FOUND: 404,
  UPLOAD_NOT_FOUND: 404,
  PREDICTION_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  API_KEY_NOT_FOUND: 404,
  MEMBER_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  JOB_ALREADY_ENDED: 409,
  UPLOAD_INCOMPLETE: 409,
  VERSION_DEPLOYED: 409,
  NOTHING_DEPLOYED: 409,
  NOTHING_TO_ROLL_BACK_TO: 409,
  RETRAINING_IN_PROGRESS: 409,
  NOT_RETRAINABLE: 409,
  MODEL_DEPLOYED: 409,
  STAGE_TRANSITION_REFUSED: 409,
  STAGE_NEEDS_DEPLOYMENT: 409,
  CANARY_IS_CHAMPION: 422,
  VERSION_NOT_VERIFIED: 409,
  VERSION_NOT_SIGNED: 409,
  REQUEST_IN_PROGRESS: 409,
  PRECONDITION_FAILED: 412,
  TOO_MANY_API_KEYS: 409,
  SETTINGS_CHANGED: 409,
  OWN_MEMBERSHIP: 409,
  PAYLOAD_TOO_LARGE: 413,
  TOO_MANY_ROWS: 413,
  DATASET_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  CONCURRENCY_LIMITED: 429,
  VALIDATION_FAILED: 422,
  FEEDBACK_TYPE_MISMATCH: 422,
  VERSION_NUMBER_INVALID: 422,
  VERSION_NUMBER_TAKEN: 422,
  ALIAS_HIDES_VERSION: 422,
  METRIC_OUT_OF_RANGE: 422,
  UNKNOWN_METRIC: 422,
  IF_MATCH_INVALID: 422,
  REGISTRY_DOCUMENT_INVALID: 422,
  MALFORMED_DATA: 422,
  EMPTY_DATASET: 422,
  UNSUPPORTED_COLUMN_TYPE: 422,
  TOO_MANY_COLUMNS: 422,
  DUPLICATE_COLUMN: 422,
  UNKNOWN_HYPERPARAMETER: 422,
  INVALID_HYPERPARAMETER: 422,
  UNKNOWN_ALGORITHM: 422,
  INVALID_SEARCH_SPACE: 422,
  SEARCH_SPACE_NEEDED: 422,
  GRID_TOO_LARGE: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  INVALID_INPUT: 422,
  EXPLANATION_NOT_AVAILABLE: 422,
  FEATURE_COLUMN_MISSING: 422,
  FEATURE_TYPE_MISMATCH: 422,
  TARGET_NOT_NUMERIC: 422,
  ALGORITHM_TASK_MISMATCH: 422,
  ARTIFACT_DAMAGED: 500,
  ARTIFACT_SIGNATURE_INVALID: 500,
  DATASET_DAMAGED: 500,
  STORE_ACCESS_DENIED: 500,
  TENANT_SESSION_REFUSED: 500,
  INTERNAL: 500,
  IMPORTED_MODEL_NOT_SERVED: 501,
  BACKEND_FAILED: 502,
  IMPORTED_MODEL_FAILED: 502,
  IMPORTED_MODEL_CRASHED: 502,
  IMPORTED_MODEL_TIMED_OUT: 502,
  CACHE_BUSY: 503,
  DATABASE_RESUMING: 503,
  STORE_UNAVAILABLE: 503,
  TENANT_SESSION_UNAVAILABLE: 503,
  MODEL_TOO_LARGE: 507,
  IMPORTED_MODEL_OUT_OF_MEMORY: 507,
};

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Invalid',
  429: 'Too many requests',
  500: 'Internal error',
  501: 'Not served here',
  502: 'Backend failed',
  503: 'Unavailable',
  507: 'Too large to serve',
};

/** @returns the problem document of a failure; an unknown code is a 500 that shows nothing of its cause. */
export function problemOf(
  failure: { code: string; message: string; errors?: readonly { pointer: string; detail: string }[] },
  where: { instance: string; requestId: string },
): ProblemDocument {
  const status = statusByCode[failure.code] ?? 500;
  return {
    type: `https://tenantml.dev/problems/${failure.code.toLowerCase().replaceAll('_', '-')}`,
    title: titles[status] ?? 'Error',
    status,
    detail: failure.message,
    instance: where.instance,
    code: failure.code,
    request_id: where.requestId,
    errors: [...(failure.errors ?? [])],
  };
}
