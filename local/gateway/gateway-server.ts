import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ACCOUNT_ID, arn } from '../aws/account.ts';
import { type ListeningServer, listenExactly } from '../aws/http.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { TwinError } from '../errors.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { servicePrincipal } from '../iam/principal.ts';
import type { LambdaHost } from '../lambda/lambda-host.ts';
import type { DeployedTemplate } from '../template/deployed-template.ts';
import { Cors } from './cors.ts';
import { type GatewayRequest, integrationEvent } from './event.ts';
import { integrationResponse } from './integration-response.ts';
import { REFUSALS, Refusal, sendRefusal } from './refusal.ts';
import { functionOfInvocationUri, RequestAuthorizer } from './request-authorizer.ts';
import { isHarmlessPath, matchRoute, parseRoute, type Route } from './routes.ts';

export interface GatewayOptions {
  readonly port: number;
  /** Serves what is under `/_twin/`: conveniences that AWS does not have. */
  twinRoutes(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean>;
  onFailure(error: unknown): void;
}

interface Integration {
  readonly functionReference: string;
  readonly timeoutMs: number;
  readonly authorizer: RequestAuthorizer | undefined;
}

interface Deployment {
  readonly apiId: string;
  readonly routes: readonly Route<Integration>[];
  readonly cors: Cors;
  readonly host: LambdaHost;
  readonly authorizer: Authorizer;
}

/** API Gateway's limits for HTTP APIs. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const MAX_INTEGRATION_MS = 30_000;

/** The HTTP API of the template on one loopback port. */
export class GatewayServer {
  readonly #options: GatewayOptions;
  #deployment: Deployment | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listenExactly(
      (request, response) => void this.#serve(request, response),
      this.#options.port,
    );
    return this.#listening.url;
  }

  deploy(template: DeployedTemplate, host: LambdaHost, authorizer: Authorizer): void {
    const [api, ...more] = template.ofType('AWS::ApiGatewayV2::Api');
    if (api === undefined || more.length > 0) {
      throw new TwinError(
        'API_COUNT',
        `the twin serves exactly one HTTP API, the template has ${more.length + (api ? 1 : 0)}`,
      );
    }
    const authorizers = new Map(
      template
        .ofType('AWS::ApiGatewayV2::Authorizer')
        .map((resource) => [resource.physicalId, new RequestAuthorizer(resource, host)]),
    );
    const integrations = new Map(
      template
        .ofType('AWS::ApiGatewayV2::Integration')
        .map((resource) => [resource.physicalId, resource.properties]),
    );
    const routes = template.ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => {
      const integration = integrations.get(String(properties.Target).replace(/^integrations\//, ''));
      if (integration === undefined) {
        throw new TwinError(
          'INTEGRATION_MISSING',
          `route ${properties.RouteKey} has no integration in the template`,
        );
      }
      const needsAuthorizer = properties.AuthorizationType === 'CUSTOM';
      const found = authorizers.get(String(properties.AuthorizerId));
      if (needsAuthorizer && found === undefined) {
        throw new TwinError(
          'AUTHORIZER_MISSING',
          `route ${properties.RouteKey} has no authorizer in the template`,
        );
      }
      return parseRoute<Integration>(String(properties.RouteKey), {
        functionReference: functionOfInvocationUri(String(integration.IntegrationUri)),
        timeoutMs: Math.min(Number(integration.TimeoutInMillis ?? MAX_INTEGRATION_MS), MAX_INTEGRATION_MS),
        authorizer: needsAuthorizer ? found : undefined,
      });
    });
    this.#deployment = {
      apiId: api.physicalId,
      routes,
      cors: new Cors(api.properties.CorsConfiguration),
      host,
      authorizer,
    };
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(11).toString('base64url');
    try {
      const target = incoming.url ?? '/';
      const cut = target.indexOf('?');
      const path = cut < 0 ? target : target.slice(0, cut);
      if (!isHarmlessPath(path)) {
        throw REFUSALS.badRequest();
      }
      if (path.startsWith('/_twin/') && (await this.#options.twinRoutes(incoming, response, path))) {
        return;
      }
      const rawQuery = cut < 0 ? '' : target.slice(cut + 1);
      await this.#proxy({ incoming, requestId, path, rawQuery }, response);
    } catch (error) {
      this.#refuse(response, error, { requestId, instance: (incoming.url ?? '/').split('?', 1)[0]! });
    }
  }

  async #proxy(
    request: Pick<GatewayRequest, 'incoming' | 'requestId' | 'path' | 'rawQuery'>,
    response: ServerResponse,
  ): Promise<void> {
    const deployment = this.#deployment;
    if (deployment === undefined) {
      throw REFUSALS.integrationTimeout();
    }
    const { incoming } = request;
    deployment.cors.apply(incoming, response);
    if (deployment.cors.answerPreflight(incoming, response)) {
      return;
    }
    const match = matchRoute(deployment.routes, incoming.method ?? 'GET', request.path);
    if (match === undefined) {
      throw REFUSALS.notFound();
    }
    const body = await readRequestBody(incoming);
    const full: GatewayRequest = { ...request, apiId: deployment.apiId, body, receivedMs: Date.now() };
    const { target } = match.route;
    let context: Record<string, unknown> | undefined;
    if (target.authorizer !== undefined) {
      await this.#mayInvoke(
        deployment,
        target.authorizer.functionReference,
        `authorizers/${target.authorizer.id}`,
      );
      context = await target.authorizer.authorize(full, match);
    }
    await this.#mayInvoke(deployment, target.functionReference, `$default/${sourceOf(match.route)}`);
    const event = Buffer.from(JSON.stringify(integrationEvent(full, match, context)));
    const result = await withTimeout(
      deployment.host.invoke(target.functionReference, event),
      target.timeoutMs,
    );
    if (!result.ok) {
      throw REFUSALS.integrationFailure();
    }
    const answer = integrationResponse(result.payload);
    response.writeHead(answer.status, { ...answer.headers, 'apigw-requestid': request.requestId });
    response.end(incoming.method === 'HEAD' ? undefined : answer.body);
  }

  /** API Gateway needs the function's own permission; without it AWS answers 500 and says nothing more. */
  async #mayInvoke(deployment: Deployment, functionReference: string, source: string): Promise<void> {
    const { name } = deployment.host.find(functionReference);
    const decision = await deployment.authorizer.authorize({
      principal: servicePrincipal('apigateway'),
      action: 'lambda:InvokeFunction',
      resource: arn('lambda', `function:${name}`),
      context: {
        'aws:SourceArn': arn('execute-api', `${deployment.apiId}/${source}`),
        'aws:SourceAccount': ACCOUNT_ID,
      },
    });
    if (decision !== 'Allowed') {
      this.#options.onFailure(
        new Error(`no AWS::Lambda::Permission lets API Gateway (${source}) invoke ${name}`),
      );
      throw REFUSALS.integrationFailure();
    }
  }

  #refuse(
    response: ServerResponse,
    error: unknown,
    request: { readonly requestId: string; readonly instance: string },
  ): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    if (error instanceof Refusal) {
      sendRefusal(response, error, request);
    } else if (error instanceof AwsServiceError && error.status === 413) {
      sendRefusal(response, REFUSALS.tooLarge(), request);
    } else {
      this.#options.onFailure(error);
      sendRefusal(response, REFUSALS.integrationFailure(), request);
    }
  }
}

/** The route's part of the source ARN that a permission is compared with. */
function sourceOf(route: Route<unknown>): string {
  if (route.routeKey === '$default') return '$default';
  return `${route.method === 'ANY' ? '*' : route.method}${route.path}`;
}

function readRequestBody(incoming: IncomingMessage): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) {
    return Promise.resolve(Buffer.alloc(0));
  }
  if (Number(length) > MAX_BODY_BYTES) {
    return Promise.reject(REFUSALS.tooLarge());
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) reject(REFUSALS.tooLarge());
      else chunks.push(chunk);
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks)));
    incoming.on('error', () => reject(REFUSALS.badRequest()));
  });
}

/** API Gateway gives up on an integration; the function itself goes on until its own timeout. */
function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(REFUSALS.integrationTimeout()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
