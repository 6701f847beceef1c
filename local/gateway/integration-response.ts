import type { OutgoingHttpHeaders } from 'node:http';
import { REFUSALS } from './refusal.ts';

export interface GatewayResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Turns what a function returned (payload format 2.0) into an HTTP response. */
export function integrationResponse(payload: Buffer): GatewayResponse {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    throw REFUSALS.integrationFailure();
  }
  if (value === null || typeof value !== 'object' || !('statusCode' in value)) {
    // Without a status code API Gateway takes the whole value for a JSON body.
    const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
      body,
    };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = value as {
    statusCode: unknown;
    headers?: Record<string, unknown>;
    cookies?: string[];
    body?: unknown;
    isBase64Encoded?: boolean;
  };
  const status = Number(statusCode);
  if (
    !Number.isInteger(status) ||
    status < 100 ||
    status > 599 ||
    (body !== undefined && typeof body !== 'string')
  ) {
    throw REFUSALS.integrationFailure();
  }
  const bytes = Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8');
  const out: OutgoingHttpHeaders = {};
  for (const [name, headerValue] of Object.entries(headers ?? {})) {
    out[name.toLowerCase()] = String(headerValue);
  }
  if (cookies !== undefined) out['set-cookie'] = cookies;
  out['content-type'] ??= 'text/plain;charset=utf-8';
  // The function's own figure may count characters, or the base64 text.
  if (status === 204 || status === 304) delete out['content-length'];
  else out['content-length'] = bytes.length;
  delete out['transfer-encoding'];
  delete out.connection;
  return { status, headers: out, body: bytes };
}
