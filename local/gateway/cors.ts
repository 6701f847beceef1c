import type { IncomingMessage, ServerResponse } from 'node:http';

interface CorsConfiguration {
  readonly AllowOrigins?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly MaxAge?: number;
  readonly AllowCredentials?: boolean;
}

/** CORS as API Gateway does it from `CorsConfiguration`: it answers preflights itself and adds the headers. */
export class Cors {
  readonly #configuration: CorsConfiguration;

  constructor(configuration: unknown) {
    this.#configuration = (configuration as CorsConfiguration | undefined) ?? {};
  }

  /** Sets the headers of any answer to an allowed origin. */
  apply(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    const { AllowOrigins = [], ExposeHeaders, AllowCredentials } = this.#configuration;
    if (origin === undefined || !(AllowOrigins.includes('*') || AllowOrigins.includes(origin))) {
      return;
    }
    response.setHeader('access-control-allow-origin', AllowOrigins.includes('*') ? '*' : origin);
    if (ExposeHeaders?.length) response.setHeader('access-control-expose-headers', ExposeHeaders.join(','));
    if (AllowCredentials === true) response.setHeader('access-control-allow-credentials', 'true');
  }

  /** Answers a preflight; false when this is none, or CORS is not configured. */
  answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
    const { AllowOrigins, AllowMethods, AllowHeaders, MaxAge } = this.#configuration;
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight || AllowOrigins === undefined) {
      return false;
    }
    if (response.hasHeader('access-control-allow-origin')) {
      if (AllowMethods?.length) response.setHeader('access-control-allow-methods', AllowMethods.join(','));
      if (AllowHeaders?.length) response.setHeader('access-control-allow-headers', AllowHeaders.join(','));
      if (MaxAge !== undefined) response.setHeader('access-control-max-age', String(MaxAge));
    }
    response.writeHead(204).end();
    return true;
  }
}
