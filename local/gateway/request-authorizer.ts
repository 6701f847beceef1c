import type { IncomingMessage } from 'node:http';
import { arn } from '../aws/account.ts';
import type { LambdaHost } from '../lambda/lambda-host.ts';
import type { DeployedResource } from '../template/deployed-template.ts';
import { authorizerEvent, type GatewayRequest } from './event.ts';
import { REFUSALS } from './refusal.ts';
import type { RouteMatch } from './routes.ts';

type AuthorizerContext = Record<string, unknown>;

type Verdict = { readonly allowed: false } | { readonly allowed: true; readonly context: AuthorizerContext };

const MAX_CACHED = 10_000;

/** A REQUEST authorizer with simple responses, its identity sources and its result cache. */
export class RequestAuthorizer {
  readonly id: string;
  readonly functionReference: string;
  readonly #identitySource: readonly string[];
  readonly #ttlMs: number;
  readonly #host: LambdaHost;
  readonly #cache = new Map<string, { verdict: Promise<Verdict>; expiresMs: number }>();

  constructor(resource: DeployedResource, host: LambdaHost) {
    const { AuthorizerUri, IdentitySource, AuthorizerResultTtlInSeconds } = resource.properties;
    this.id = resource.physicalId;
    this.functionReference = functionOfInvocationUri(String(AuthorizerUri));
    this.#identitySource = (IdentitySource as string[] | undefined) ?? [];
    this.#ttlMs = Number(AuthorizerResultTtlInSeconds ?? 0) * 1000;
    this.#host = host;
  }

  /** Context for the function behind the route; throws 401 without identity, 403 when not authorized. */
  async authorize(request: GatewayRequest, match: RouteMatch<unknown>): Promise<AuthorizerContext> {
    const identity = this.#identitySource.map((source) => identityValue(request, source));
    if (identity.some((value) => value === undefined || value === '')) {
      throw REFUSALS.unauthenticated();
    }
    const verdict = await this.#verdict(request, match, identity as string[]);
    if (!verdict.allowed) {
      throw REFUSALS.forbidden();
    }
    return verdict.context;
  }

  #verdict(request: GatewayRequest, match: RouteMatch<unknown>, identity: string[]): Promise<Verdict> {
    // Without an identity source API Gateway has nothing to cache by.
    if (this.#ttlMs === 0 || identity.length === 0) {
      return this.#ask(request, match, identity);
    }
    const key = identity.join('\u0000');
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.expiresMs > request.receivedMs) {
      return cached.verdict;
    }
    const verdict = this.#ask(request, match, identity);
    if (this.#cache.size >= MAX_CACHED) {
      this.#cache.delete(this.#cache.keys().next().value as string);
    }
    this.#cache.set(key, { verdict, expiresMs: request.receivedMs + this.#ttlMs });
    // A failure of the function is not a verdict.
    verdict.catch(() => this.#cache.delete(key));
    return verdict;
  }

  async #ask(request: GatewayRequest, match: RouteMatch<unknown>, identity: string[]): Promise<Verdict> {
    const routeArn = arn(
      'execute-api',
      `${request.apiId}/$default/${request.incoming.method}${request.path}`,
    );
    const event = authorizerEvent(request, match, routeArn, identity);
    const result = await this.#host.invoke(this.functionReference, Buffer.from(JSON.stringify(event)));
    if (!result.ok) {
      throw REFUSALS.integrationFailure();
    }
    const answer = JSON.parse(result.payload.toString('utf8')) as {
      isAuthorized?: unknown;
      context?: unknown;
    } | null;
    return answer?.isAuthorized === true
      ? { allowed: true, context: (answer.context as AuthorizerContext | undefined) ?? {} }
      : { allowed: false };
  }
}

/** `$request.header.Authorization` or `$request.querystring.token`. */
function identityValue(request: GatewayRequest, source: string): string | undefined {
  const header = /^\$request\.header\.(.+)$/i.exec(source)?.[1];
  if (header !== undefined) {
    return headerValue(request.incoming, header.toLowerCase());
  }
  const parameter = /^\$request\.querystring\.(.+)$/i.exec(source)?.[1];
  return parameter === undefined
    ? undefined
    : (new URLSearchParams(request.rawQuery).get(parameter) ?? undefined);
}

function headerValue(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** `arn:aws:apigateway:…:lambda:path/2015-03-31/functions/<function ARN>/invocations` → the function ARN. */
export function functionOfInvocationUri(uri: string): string {
  return /\/functions\/(.+)\/invocations$/.exec(uri)?.[1] ?? uri;
}
