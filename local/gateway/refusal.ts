import type { ServerResponse } from 'node:http';

/** A request that the gateway itself answers. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  /** Rule and remedy. */
  readonly detail: string;

  /** @param message what API Gateway says */
  constructor(status: number, code: string, title: string, message: string, detail: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = detail;
  }
}

export const REFUSALS = {
  badRequest: () =>
    new Refusal(
      400,
      'BAD_REQUEST',
      'Bad request',
      'Bad Request',
      'the path is malformed or leads upwards; send a plain, percent-encoded path',
    ),
  unauthenticated: () =>
    new Refusal(
      401,
      'UNAUTHENTICATED',
      'Not authenticated',
      'Unauthorized',
      'send an Authorization header with a bearer token, or an API key',
    ),
  forbidden: () =>
    new Refusal(403, 'FORBIDDEN', 'Forbidden', 'Forbidden', 'the authorizer refused the request'),
  notFound: () =>
    new Refusal(404, 'NOT_FOUND', 'Not found', 'Not Found', 'no route has this path and method'),
  tooLarge: () =>
    new Refusal(
      413,
      'PAYLOAD_TOO_LARGE',
      'Too large',
      'Request Entity Too Large',
      'a request may have at most 10 MB, and what reaches a function at most 6 MB; use an upload link for data',
    ),
  integrationFailure: () =>
    new Refusal(
      500,
      'INTEGRATION_FAILURE',
      'Internal error',
      'Internal Server Error',
      'the function ended without an answer; send the request again',
    ),
  integrationTimeout: () =>
    new Refusal(
      503,
      'INTEGRATION_TIMEOUT',
      'Unavailable',
      'Service Unavailable',
      'the function did not answer within 30 seconds; send the request again',
    ),
} as const;

/**
 * API Gateway answers with nothing but `{"message": …}`. The twin keeps that member and adds those of a problem
 * document (RFC 9457), so that a client sees one form of error wherever a request was stopped.
 */
export function sendRefusal(
  response: ServerResponse,
  refusal: Refusal,
  { requestId, instance }: { readonly requestId: string; readonly instance: string },
): void {
  const body = JSON.stringify({
    message: refusal.message,
    type: 'about:blank',
    title: refusal.title,
    status: refusal.status,
    detail: refusal.detail,
    instance,
    code: refusal.code,
    request_id: requestId,
    errors: [],
  });
  response.writeHead(refusal.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'apigw-requestid': requestId,
    ...(refusal.status === 413 ? { connection: 'close' } : {}),
  });
  response.end(body);
}
