import type { IncomingMessage } from 'node:http';
import { ACCOUNT_ID } from '../aws/account.ts';
import type { RouteMatch } from './routes.ts';

export interface GatewayRequest {
  readonly incoming: IncomingMessage;
  readonly requestId: string;
  readonly apiId: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly body: Buffer;
  readonly receivedMs: number;
}

/** What a REQUEST authorizer with payload 2.0 receives. */
export interface AuthorizerEvent {
  readonly [member: string]: unknown;
}

interface HeaderParts {
  readonly headers: Record<string, string>;
  readonly cookies: string[] | undefined;
}

/** Lower-case names, repeated headers joined by commas, cookies in a list of their own. */
function headerParts(incoming: IncomingMessage): HeaderParts {
  const headers: Record<string, string> = {};
  const raw = incoming.rawHeaders;
  let cookies: string[] | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    if (name === 'cookie') {
      cookies = [...(cookies ?? []), ...value.split(/;\s*/).filter((cookie) => cookie !== '')];
    } else {
      headers[name] = name in headers ? `${headers[name]},${value}` : value;
    }
  }
  // Added by the load balancers of API Gateway.
  headers['x-forwarded-for'] ??= incoming.socket.remoteAddress ?? '127.0.0.1';
  headers['x-forwarded-proto'] ??= 'http';
  headers['x-forwarded-port'] ??= String(incoming.socket.localPort ?? '');
  return { headers, cookies };
}

function queryParameters(rawQuery: string): Record<string, string> | undefined {
  if (rawQuery === '') return undefined;
  const result: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    result[name] = name in result ? `${result[name]},${value}` : value;
  }
  return result;
}

/** Found on AWS: these types come as text, everything else as base64, a body without a type and forms included. */
function isText(contentType: string | undefined): boolean {
  return (
    contentType !== undefined && /^\s*(text\/|application\/(json|javascript|xml)\s*(;|$))/i.test(contentType)
  );
}

/** Body members of the event: binary content is base64, and so is anything compressed. */
function bodyParts(
  body: Buffer,
  headers: Record<string, string>,
): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const binary = headers['content-encoding'] !== undefined || !isText(headers['content-type']);
  return { body: body.toString(binary ? 'base64' : 'utf8'), isBase64Encoded: binary };
}

/** `12/Mar/2020:19:03:58 +0000` */
function clfTime(ms: number): string {
  const [, day, month, year, time] = new Date(ms).toUTCString().split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  return `${day}/${month}/${year}:${time} +0000`;
}

function requestContext(
  request: GatewayRequest,
  match: RouteMatch<unknown>,
  headers: Record<string, string>,
) {
  return {
    accountId: ACCOUNT_ID,
    apiId: request.apiId,
    domainName: headers.host ?? '',
    domainPrefix: request.apiId,
    http: {
      method: request.incoming.method ?? 'GET',
      path: request.path,
      protocol: 'HTTP/1.1',
      sourceIp: request.incoming.socket.remoteAddress ?? '127.0.0.1',
      userAgent: headers['user-agent'] ?? '',
    },
    requestId: request.requestId,
    routeKey: match.route.routeKey,
    stage: '$default',
    time: clfTime(request.receivedMs),
    timeEpoch: request.receivedMs,
  };
}

function common(request: GatewayRequest, match: RouteMatch<unknown>, parts: HeaderParts) {
  const query = queryParameters(request.rawQuery);
  const hasParameters = Object.keys(match.pathParameters).length > 0;
  return {
    version: '2.0',
    routeKey: match.route.routeKey,
    rawPath: request.path,
    rawQueryString: request.rawQuery,
    ...(parts.cookies === undefined ? {} : { cookies: parts.cookies }),
    headers: parts.headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    ...(hasParameters ? { pathParameters: match.pathParameters } : {}),
  };
}

/** The event of an AWS_PROXY integration with payload format 2.0. */
export function integrationEvent(
  request: GatewayRequest,
  match: RouteMatch<unknown>,
  authorizerContext: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const parts = headerParts(request.incoming);
  return {
    ...common(request, match, parts),
    requestContext: {
      ...requestContext(request, match, parts.headers),
      ...(authorizerContext === undefined ? {} : { authorizer: { lambda: authorizerContext } }),
    },
    ...bodyParts(request.body, parts.headers),
  };
}

/** The event of a REQUEST authorizer: the request without its body. */
export function authorizerEvent(
  request: GatewayRequest,
  match: RouteMatch<unknown>,
  routeArn: string,
  identitySource: readonly string[],
): AuthorizerEvent {
  const parts = headerParts(request.incoming);
  return {
    ...common(request, match, parts),
    type: 'REQUEST',
    routeArn,
    identitySource,
    requestContext: requestContext(request, match, parts.headers),
  };
}
