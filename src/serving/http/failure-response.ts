import { problemOf } from '../../contracts/problem-status.ts';
import type { FieldError } from '../../errors.ts';
import { dialectOf } from './routes.ts';
import type { ServingRequest, ServingResponse } from './serving-message.ts';

/** What callers learn of a failure. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly FieldError[];
  readonly evidence?: Readonly<Record<string, unknown>>;
}

/** @returns the failure in the form of the dialect that was spoken */
export function failureResponse(failure: Failure, request: ServingRequest): ServingResponse {
  const problem = problemOf(failure, { instance: request.path, requestId: request.requestId });
  const dialect = dialectOf(request.path);
  // Neither protocol has a status for a well-formed request with a bad value but 400.
  const status = dialect !== 'native' && problem.status === 422 ? 400 : problem.status;
  const headers: Record<string, string> = {
    'content-type': dialect === 'native' ? 'application/problem+json' : 'application/json',
  };
  // https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 405) headers.allow = String(failure.evidence?.allow);
  if (status === 413) headers.link = '</api/v1/ml/batch-predict>; rel="alternate"';
  if (status === 503 || status === 429)
    headers['retry-after'] = String(failure.evidence?.retry_after_seconds ?? 5);
  if (failure.evidence?.policy !== undefined) {
    headers['ratelimit-policy'] = String(failure.evidence.policy);
    headers.ratelimit = `"tenant";r=0;t=${headers['retry-after']}`;
  }
  if (dialect === 'native') return { status, headers, body: JSON.stringify(problem) };
  const body =
    dialect === 'open-inference'
      ? { error: `${problem.code}: ${problem.detail}` }
      : { error_code: scoringCode(problem.code, status), message: problem.detail };
  return { status, headers, body: JSON.stringify(body) };
}

/** MLflow's words where it has one, ours otherwise. */
function scoringCode(code: string, status: number): string {
  if (code === 'MODEL_NOT_FOUND' || code === 'ROUTE_NOT_FOUND') return 'RESOURCE_DOES_NOT_EXIST';
  if (code === 'SCOPE_MISSING') return 'PERMISSION_DENIED';
  if (code === 'INVALID_INPUT') return 'INVALID_PARAMETER_VALUE';
  return status === 400 ? 'BAD_REQUEST' : code;
}
