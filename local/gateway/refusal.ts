import type { ServerResponse } from 'node:http';

/** A request that the gateway itself answers. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;

  constructor(status: number, code: string, title: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.title = title;
  }
}

export const REFUSALS = {
  badRequest: () => new Refusal(400, 'BAD_REQUEST', 'Bad request', 'Bad Request'),
  unauthenticated: () => new Refusal(401, 'UNAUTHENTICATED', 'Not authenticated', 'Unauthorized'),
  forbidden: () => new Refusal(403, 'FORBIDDEN', 'Not allowed', 'Forbidden'),
  notFound: () => new Refusal(404, 'NOT_FOUND', 'No such route', 'Not Found'),
  tooLarge: () => new Refusal(413, 'PAYLOAD_TOO_LARGE', 'Body too large', 'Request Entity Too Large'),
  integrationFailure: () =>
    new Refusal(500, 'INTEGRATION_FAILURE', 'The function failed', 'Internal Server Error'),
  integrationTimeout: () =>
    new Refusal(503, 'INTEGRATION_TIMEOUT', 'The function took too long', 'Service Unavailable'),
} as const;

/**
 * API Gateway answers with nothing but `{"message": …}`. The twin keeps that member and adds those of a problem
 * document (RFC 9457), so that a client sees one form of error wherever a request was stopped.
 */
export function sendRefusal(response: ServerResponse, refusal: Refusal, requestId: string): void {
  const body = JSON.stringify({
    message: refusal.message,
    type: 'about:blank',
    title: refusal.title,
    status: refusal.status,
    detail: refusal.message,
    code: refusal.code,
    request_id: requestId,
  });
  response.writeHead(refusal.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'apigw-requestid': requestId,
    ...(refusal.status === 413 ? { connection: 'close' } : {}),
  });
  response.end(body);
}
