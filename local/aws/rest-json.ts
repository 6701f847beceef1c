import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import { AwsServiceError } from './service-error.ts';
import { sha256 } from './signature-v4.ts';

export type SendAnswer = (
  status: number,
  body: Buffer | string,
  headers: Readonly<Record<string, string>>,
) => void;

/** @returns what answers as services with a REST protocol in JSON do */
export function sendTo(response: ServerResponse): SendAnswer {
  return (status, body, headers) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-amzn-requestid': randomUUID(),
      ...headers,
    });
    response.end(body);
  };
}

/** @returns who signed the request and its body. @throws {AwsServiceError} */
export function callerOf(
  registry: CredentialRegistry,
  service: Parameters<CredentialRegistry['authenticate']>[1],
  request: IncomingMessage,
  body: Buffer,
) {
  const bodyHash = sha256(body);
  const caller = registry.authenticate(
    { method: request.method ?? '', target: request.url ?? '', headers: request.headers },
    service,
    () => bodyHash,
  );
  if (caller.payloadHash !== undefined && caller.payloadHash !== bodyHash)
    throw new AwsServiceError(
      'InvalidSignatureException',
      'the body does not match x-amz-content-sha256',
      403,
    );
  return caller;
}
