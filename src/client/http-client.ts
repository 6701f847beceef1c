import type { z } from 'zod';
import { Problem } from '../contracts/problem.ts';
import { type OperationId, type Route, routes } from '../contracts/routes.ts';
import { MLFrameworkError } from '../errors.ts';

/** The server's refusal or failure, as it said it. */
export class ApiError extends MLFrameworkError {
  readonly status: number;
  readonly problem: Problem | undefined;
  /** The answer as it came, where it was JSON. */
  readonly body: unknown;

  constructor(
    status: number,
    code: string,
    message: string,
    answer: { problem?: Problem; body?: unknown } = {},
  ) {
    super(code, message, { errors: answer.problem?.errors ?? [] });
    this.status = status;
    this.problem = answer.problem;
    this.body = answer.body ?? answer.problem;
  }
}

/** The tenant has no such model, or no deployed one where one is needed. */
export class ModelNotFoundError extends ApiError {
  /** The model that was asked for. */
  readonly modelId: string | undefined;

  constructor(message: string, modelId: string | undefined, problem: Problem) {
    super(problem.status, problem.code, message, { problem });
    this.modelId = modelId;
  }
}

/** Nobody answers at the address. */
export class UnreachableError extends MLFrameworkError {
  constructor(url: string, cause: unknown) {
    super('UNREACHABLE', `nothing answers at ${url}; is it the right address, and is it running?`, { cause });
  }
}

type Input<R, Name extends string> =
  R extends Record<Name, infer Schema extends z.ZodType>
    ? { readonly [K in Name]: z.input<Schema> }
    : { readonly [K in Name]?: undefined };
type InputOf<R> = Input<R, 'params'> & Partial<Input<R, 'query'>> & Input<R, 'body'>;
type SchemasOf<R> = R extends { answers: infer A }
  ? { [S in keyof A]: A[S] extends { schema: infer Z } ? Z : never }[keyof A]
  : never;
type AnswerOf<R> = SchemasOf<R> extends infer Z ? (Z extends z.ZodType ? z.output<Z> : never) : never;

/** @returns the token to send, or nothing for an open route */
export type TokenSource = () => Promise<string | undefined>;

/** Speaks the HTTP interface, typed by its route table. */
export class HttpClient {
  readonly url: string;
  readonly #token: TokenSource;

  constructor(url: string, token: TokenSource) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /**
   * @throws {ApiError} when the server refuses or fails
   * @throws {UnreachableError}
   */
  async call<Id extends OperationId>(
    operationId: Id,
    input: InputOf<(typeof routes)[Id]>,
    options: { readonly idempotencyKey?: string } = {},
  ): Promise<AnswerOf<(typeof routes)[Id]>> {
    return JSON.parse(await this.text(operationId, input, options)) as AnswerOf<(typeof routes)[Id]>;
  }

  /**
   * @returns the answer as it was sent: of an operation that can answer with a text
   * @throws {ApiError} when the server refuses or fails
   * @throws {UnreachableError}
   */
  async text<Id extends OperationId>(
    operationId: Id,
    input: InputOf<(typeof routes)[Id]>,
    options: { readonly idempotencyKey?: string } = {},
  ): Promise<string> {
    const route: Route = routes[operationId];
    const {
      params = {},
      query = {},
      body,
    } = input as {
      params?: Record<string, string>;
      query?: Record<string, unknown>;
      body?: unknown;
    };
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String(params[name])),
    );
    const search = new URLSearchParams(
      Object.entries(query)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]): [string, string] => [name, String(value)]),
    );
    const token = route.authorized ? await this.#token() : undefined;
    const url = `${this.url}${path}${search.size === 0 ? '' : `?${search}`}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method: route.method,
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new UnreachableError(this.url, cause);
    }
    const text = await response.text();
    if (response.ok) return text;
    throw errorOf(response.status, text, modelOf(params, body));
  }
}

/** @returns the model that a call is about */
function modelOf(params: Readonly<Record<string, string>>, body: unknown): string | undefined {
  return params.model_name ?? params.model_id ?? (body as { model_name?: string } | undefined)?.model_name;
}

function errorOf(status: number, text: string, modelId: string | undefined): ApiError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return new ApiError(status, `HTTP_${status}`, `the server answered ${status}`);
  }
  const parsed = Problem.safeParse(body);
  if (parsed.success) {
    const { code, detail } = parsed.data;
    if (code === 'MODEL_NOT_FOUND') return new ModelNotFoundError(detail, modelId, parsed.data);
    return new ApiError(status, code, detail, { problem: parsed.data });
  }
  const { code, message, detail } = (body ?? {}) as { code?: string; message?: string; detail?: string };
  return new ApiError(
    status,
    code ?? `HTTP_${status}`,
    detail ?? message ?? `the server answered ${status}`,
    { body },
  );
}
