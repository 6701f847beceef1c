import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { problemOf } from '../../../contracts/problem-status.ts';
import type { MLFrameworkError } from '../../../errors.ts';
import { dialectOf } from '../../../serving/http/routes.ts';
import { failureOf } from './failure-of.ts';
import { logger } from './observability.ts';

/**
 * @returns the problem response of a failure; under `/v2`, where only extensions that we have not come here, that of the
 * Open Inference Protocol, whose clients read no other. Only failures of the platform are logged with their stack.
 */
export function failureResponse(
  error: unknown,
  where: { instance: string; requestId: string },
): APIGatewayProxyStructuredResultV2 {
  const problem = problemOf(failureOf(error), where);
  logger.appendKeys({ code: problem.code });
  if (problem.status >= 500) logger.error(problem.detail, error as Error);
  const isOpenInference = dialectOf(where.instance) === 'open-inference';
  return {
    statusCode: problem.status,
    headers: {
      'content-type': isOpenInference ? 'application/json' : 'application/problem+json',
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(problem.status === 405 ? { allow: String((error as MLFrameworkError).evidence.allow) } : {}),
      ...(problem.status === 503 ? { 'retry-after': '5' } : {}),
    },
    body: JSON.stringify(isOpenInference ? { error: `${problem.code}: ${problem.detail}` } : problem),
  };
}
