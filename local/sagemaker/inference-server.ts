import type { IncomingMessage, ServerResponse } from 'node:http';
import { arn } from '../aws/account.ts';
import { type ListeningServer, listen, readBody } from '../aws/http.ts';
import { callerOf, sendTo } from '../aws/rest-json.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { TwinError } from '../errors.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';

/** InvokeEndpoint takes 6 MB. */
const MAX_BODY_BYTES = 6 * 1024 * 1024;
const INVOKE_PATH = /^\/endpoints\/([A-Za-z0-9-]+)\/invocations(?:\?|$)/;

export interface InferenceServerOptions {
  readonly registry: CredentialRegistry;
  /** Where the container of each endpoint listens. */
  readonly containers: ReadonlyMap<string, string>;
  onFailure(error: unknown): void;
}

/**
 * @param text `name=http://host:port`, several by commas
 * @throws {TwinError} SETTING_INVALID
 */
export function containersOf(text: string | undefined): Map<string, string> {
  const pairs = (text ?? '').split(',').filter((pair) => pair.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const [, name, url] = /^\s*([A-Za-z0-9-]+)=(http:\/\/\S+?)\/*\s*$/.exec(pair) ?? [];
      if (name === undefined || url === undefined)
        throw new TwinError(
          'SETTING_INVALID',
          `TENANTML_SAGEMAKER_ENDPOINTS: ${pair} must be NAME=http://HOST:PORT`,
        );
      return [name, url];
    }),
  );
}

/** InvokeEndpoint of SageMaker's runtime: signature and policies as on AWS, then the endpoint's container. */
export class InferenceServer {
  readonly #options: InferenceServerOptions;
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: InferenceServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listen((request, response) => void this.#serve(request, response));
    return this.#listening.url;
  }

  deploy(authorizer: Authorizer): void {
    this.#authorizer = authorizer;
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = sendTo(response);
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const name = await this.#authorizedEndpoint(request, body);
      const container = this.#options.containers.get(name);
      if (container === undefined)
        throw new AwsServiceError(
          'ValidationError',
          `Endpoint ${name} of account not found; TENANTML_SAGEMAKER_ENDPOINTS names where containers listen`,
          400,
        );
      const answer = await ask(container, request, body);
      if (answer.status >= 400) {
        const OriginalMessage = answer.body.toString('utf8').slice(0, 1_000);
        send(424, JSON.stringify({ OriginalStatusCode: answer.status, OriginalMessage }), {
          'x-amzn-errortype': 'ModelError',
        });
        return;
      }
      send(200, answer.body, {
        'content-type': answer.contentType,
        'x-amzn-invoked-production-variant': 'AllTraffic',
      });
    } catch (error) {
      if (!(error instanceof AwsServiceError)) this.#options.onFailure(error);
      const failure =
        error instanceof AwsServiceError ? error : new AwsServiceError('InternalFailure', 'failed', 500);
      const status = failure.code === 'AccessDeniedException' ? 403 : failure.status;
      send(status, JSON.stringify({ Message: failure.message }), { 'x-amzn-errortype': failure.code });
    }
  }

  /** @returns the endpoint that the caller may invoke */
  async #authorizedEndpoint(request: IncomingMessage, body: Buffer): Promise<string> {
    const caller = callerOf(this.#options.registry, 'sagemaker', request, body);
    const name = INVOKE_PATH.exec(request.url ?? '')?.[1];
    if (name === undefined || request.method !== 'POST' || this.#authorizer === undefined)
      throw new AwsServiceError('UnknownOperationException', 'only InvokeEndpoint is part of the twin', 404);
    await this.#authorizer.require({
      principal: caller.principal,
      action: 'sagemaker:InvokeEndpoint',
      resource: arn('sagemaker', `endpoint/${name.toLowerCase()}`),
    });
    return name;
  }
}

async function ask(container: string, request: IncomingMessage, body: Buffer) {
  const { 'content-type': contentType = 'application/json', accept = '*/*' } = request.headers;
  try {
    const answer = await fetch(`${container}/invocations`, {
      method: 'POST',
      headers: { 'content-type': contentType, accept },
      body: new Uint8Array(body),
    });
    return {
      status: answer.status,
      contentType: answer.headers.get('content-type') ?? 'application/json',
      body: Buffer.from(await answer.arrayBuffer()),
    };
  } catch {
    throw new AwsServiceError('ServiceUnavailable', 'the container of the endpoint does not answer', 503);
  }
}
