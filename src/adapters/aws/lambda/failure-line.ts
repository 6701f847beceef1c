import { statusByCode } from '../../../contracts/problem-status.ts';
import type { Failure } from '../../../serving/http/failure-response.ts';
import type { ServingRequest } from '../../../serving/http/serving-message.ts';

/**
 * Writes a call that did not succeed as one line of JSON, in the form that the other functions' logger has. Of failures
 * of the platform the cause is written too; nothing that the caller sent is.
 */
export function failureLine(
  error: unknown,
  failure: Failure,
  request: ServingRequest,
  write: (line: string) => void = (line) => process.stdout.write(line),
): void {
  const status = statusByCode[failure.code] ?? 500;
  const { name, message, stack, cause } = error as Error;
  write(
    `${JSON.stringify({
      level: status >= 500 ? 'ERROR' : 'INFO',
      message: status >= 500 ? failure.message : 'request',
      timestamp: new Date().toISOString(),
      service: 'predict',
      correlation_id: request.requestId,
      method: request.method,
      path: request.path,
      status,
      code: failure.code,
      ...(status >= 500
        ? { error: { name, message, stack, ...(cause === undefined ? {} : { cause: String(cause) }) } }
        : {}),
    })}\n`,
  );
}

/** Writes what went wrong beside calls. */
export function warningLine(message: string, error: unknown, evidence: object): void {
  const { name, message: cause } = error as Error;
  const line = { level: 'WARN', message, timestamp: new Date().toISOString(), service: 'predict' };
  process.stdout.write(`${JSON.stringify({ ...line, error: { name, message: cause }, ...evidence })}\n`);
}
