import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import type { Principal } from '../iam/principal.ts';
import { readBody } from './http.ts';
import { AwsServiceError } from './service-error.ts';
import { sha256 } from './signature-v4.ts';

const MAX_BODY_BYTES = 20 * 1024 * 1024;

export interface JsonOperationCall {
  /** From `X-Amz-Target`, without the service's prefix. */
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly body: Buffer;
  readonly principal: Principal;
}

/** An answer made elsewhere, passed on byte for byte. */
export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface JsonProtocol {
  /** Name in the credential scope, e.g. `states`. */
  readonly signingName: string;
  readonly contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
  readonly registry: CredentialRegistry;
  /** Prefix of `__type`, e.g. `com.amazonaws.dynamodb.v20120810#`. */
  readonly errorNamespace?: string;
  handle(call: JsonOperationCall): Promise<object | RawAnswer>;
  /** Told of failures that are the twin's own. */
  onFailure(error: unknown): void;
}

/** The JSON protocols have names of their own for what is wrong with a signature. */
const JSON_ERROR_CODES: Readonly<Record<string, string>> = {
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  InvalidAccessKeyId: 'UnrecognizedClientException',
  InvalidToken: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  ExpiredToken: 'ExpiredTokenException',
  RequestTimeTooSkewed: 'InvalidSignatureException',
};

/** Listener for the AWS JSON 1.0 and 1.1 protocols: authenticates, parses, dispatches, answers. */
export function jsonProtocolListener(protocol: JsonProtocol): RequestListener {
  return async (request, response) => {
    const send = (status: number, body: string | Buffer) => {
      response.writeHead(status, {
        'content-type': protocol.contentType,
        'content-length': Buffer.byteLength(body),
        'x-amzn-requestid': randomUUID(),
      });
      response.end(body);
    };
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const bodyHash = sha256(body);
      const caller = protocol.registry.authenticate(
        { method: request.method ?? '', target: request.url ?? '', headers: request.headers },
        protocol.signingName,
        () => bodyHash,
      );
      if (caller.payloadHash !== undefined && caller.payloadHash !== bodyHash) {
        throw new AwsServiceError(
          'InvalidSignatureException',
          'the body does not match x-amz-content-sha256',
          403,
        );
      }
      const target = String(request.headers['x-amz-target'] ?? '');
      const answer = await protocol.handle({
        operation: target.slice(target.indexOf('.') + 1),
        input: parseInput(body),
        body,
        principal: caller.principal,
      });
      if (isRaw(answer)) {
        send(answer.status, answer.body);
      } else {
        send(200, JSON.stringify(answer));
      }
    } catch (error) {
      const known = error instanceof AwsServiceError;
      if (!known) {
        protocol.onFailure(error);
      }
      const failure = known ? error : new AwsServiceError('InternalFailure', 'the local server failed', 500);
      if (!response.headersSent) {
        send(
          failure.status,
          JSON.stringify({
            __type: `${protocol.errorNamespace ?? ''}${JSON_ERROR_CODES[failure.code] ?? failure.code}`,
            message: failure.message,
            ...failure.details,
          }),
        );
      }
    }
  };
}

function isRaw(answer: object): answer is RawAnswer {
  return 'body' in answer && Buffer.isBuffer(answer.body);
}

function parseInput(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // falls through to the error below
  }
  throw new AwsServiceError('SerializationException', 'the body is not a JSON object');
}
