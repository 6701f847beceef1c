import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { problemOf } from '../../../contracts/problem-status.ts';
import type { MLFrameworkError } from '../../../errors.ts';
import { failureOf } from './failure-of.ts';
import { logger } from './observability.ts';

/** @returns the problem response of a failure. Only failures of the platform are logged with their stack. */
export function failureResponse(
  error: unknown,
  where: { instance: string; requestId: string },
): APIGatewayProxyStructuredResultV2 {
  const problem = problemOf(failureOf(error), where);
  logger.appendKeys({ code: problem.code });
  if (problem.status >= 500) logger.error(problem.detail, error as Error);
  return {
    statusCode: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(problem.status === 405 ? { allow: String((error as MLFrameworkError).evidence.allow) } : {}),
      ...(problem.status === 503 ? { 'retry-after': '5' } : {}),
    },
    body: JSON.stringify(problem),
  };
}
