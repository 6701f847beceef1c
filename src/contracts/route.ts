import type { z } from 'zod';
import type { HttpFunction } from './planes.ts';
import type { Scope } from './scopes.ts';

/** One operation of the HTTP surface: of a tenant whose caller has the scope, or open to everybody. */
export type Route = RouteFacts &
  (
    | { readonly authorized: true; readonly scope: Scope }
    | { readonly authorized: false; readonly scope?: never }
  );

interface RouteFacts {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** OpenAPI notation: `/api/v1/ml/jobs/{job_id}`. */
  readonly path: string;
  readonly function: HttpFunction;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Whose protocol it is. @default - the platform's own */
  readonly dialect?: 'open-inference' | 'scoring';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** A body that a reader may send as it is. */
  readonly example?: unknown;
  /** Largest body in bytes. */
  readonly maxBodyBytes?: number;
  /** Whether `If-Match` with the ETag of what is changed is heeded. */
  readonly conditional?: boolean;
  /** Whether a request gives the same answer however often it is sent: then `Idempotency-Key` has nothing to remember. */
  readonly repeatable?: (body: unknown) => boolean;
  /** Whether the answer shows what must be stored nowhere: then `Idempotency-Key` is not heeded. */
  readonly holdsSecret?: true;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: z.ZodType }>>;
}

/** @returns the one answer of an operation that answers 200 */
export const ok = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  200: { description, schema },
});

/** Small JSON bodies. */
export const defaultBodyBytes = 256 * 1024;
