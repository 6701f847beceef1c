import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ListeningServer, listen, readBody } from '../aws/http.ts';
import { callerOf, sendTo } from '../aws/rest-json.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import { MAX_PAYLOAD_BYTES } from './invocation.ts';
import type { LambdaHost } from './lambda-host.ts';

export interface InvokeServerOptions {
  readonly registry: CredentialRegistry;
  onFailure(error: unknown): void;
}

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?|$)/;

/** Lambda's Invoke API for the SDK: RequestResponse and Event. */
export class InvokeServer {
  readonly #options: InvokeServerOptions;
  #deployed: { host: LambdaHost; authorizer: Authorizer } | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: InvokeServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listen((request, response) => void this.#serve(request, response));
    return this.#listening.url;
  }

  deploy(host: LambdaHost, authorizer: Authorizer): void {
    this.#deployed = { host, authorizer };
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = sendTo(response);
    try {
      const body = await readBody(request, MAX_PAYLOAD_BYTES + 1);
      const caller = callerOf(this.#options.registry, 'lambda', request, body);
      const match = INVOKE_PATH.exec(request.url ?? '');
      if (match === null || request.method !== 'POST' || this.#deployed === undefined) {
        throw new AwsServiceError(
          'UnknownOperationException',
          'only Invoke is part of the local Lambda',
          404,
        );
      }
      const { host, authorizer } = this.#deployed;
      const config = host.find(decodeURIComponent(match[1] as string));
      await authorizer.require({
        principal: caller.principal,
        action: 'lambda:InvokeFunction',
        resource: config.arn,
      });
      const tenantId = request.headers['x-amz-tenant-id'];
      const options = typeof tenantId === 'string' ? { tenantId } : {};
      if (request.headers['x-amz-invocation-type'] === 'Event') {
        host.invokeAsync(config.name, body, options);
        send(202, '', {});
        return;
      }
      const result = await host.invoke(config.name, body, options);
      send(200, result.payload, {
        'x-amz-executed-version': '$LATEST',
        ...(result.ok ? {} : { 'x-amz-function-error': 'Unhandled' }),
      });
    } catch (error) {
      if (!(error instanceof AwsServiceError)) {
        this.#options.onFailure(error);
      }
      const failure =
        error instanceof AwsServiceError ? error : new AwsServiceError('ServiceException', 'failed', 500);
      // Lambda's REST protocol carries the refusal of IAM as 403.
      const status = failure.code === 'AccessDeniedException' ? 403 : failure.status;
      send(status, JSON.stringify({ Type: 'User', message: failure.message }), {
        'x-amzn-errortype': failure.code,
      });
    }
  }
}
