import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { MLFrameworkError } from '../../../errors.ts';
import { failureOf } from './failure-of.ts';
import { logger } from './observability.ts';

/** What a state machine reads of a failed step: `Error` is the code, `Cause` holds the message. */
function stateMachineError(error: unknown): Error {
  const { code, message } = error instanceof MLFrameworkError ? error : failureOf(error);
  return Object.assign(new Error(message), { name: code, stack: '' });
}

/** Makes the Lambda handler of a step: logs by job, and names failures so that the machine can match them. */
export function stepFunction<Event extends object, Result>(
  work: (event: Event, context: Context) => Promise<Result>,
) {
  const tracer = new Tracer();
  const handler = async (event: Event, context: Context): Promise<Result> => {
    const { job_id, step } = event as { job_id?: string; step?: string };
    logger.appendKeys({ job_id, step });
    const startMs = performance.now();
    try {
      const result = await work(event, context);
      logger.info('step done', { duration_ms: Math.round(performance.now() - startMs) });
      return result;
    } catch (error) {
      // The code only: a message says what is wrong with the data, and may quote a cell of it. The job's owner sees it.
      if (error instanceof MLFrameworkError) logger.warn('step failed', { code: error.code });
      else logger.error('the step failed', error as Error);
      throw stateMachineError(error);
    }
  };
  return middy(handler)
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(captureLambdaHandler(tracer, { captureResponse: false }));
}
