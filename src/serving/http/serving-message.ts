import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** A request to the serving plane, whatever carried it. */
export interface ServingRequest {
  readonly method: string;
  /** As it was sent, percent-encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string | Uint8Array | undefined;
  readonly requestId: string;
  /** @throws {UnauthenticatedError} when the caller is not known */
  tenant(): TenantContext;
}

export interface ServingResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}

export const json = (body: unknown, headers: Record<string, string> = {}, status = 200): ServingResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
