import type { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { RoleSession } from '../iam/principal.ts';
import type { LambdaHost } from '../lambda/lambda-host.ts';
import { TIMEOUT_FIELD } from './prepare-definition.ts';

/** Step Functions' limit on what passes between states. */
const MAX_DATA_BYTES = 256 * 1024;

/** An error with the name by which Retry and Catch know it. */
class TaskError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** Runs the Task states of one machine: `lambda:invoke`, with the rights of the machine's role. */
export class TaskRunner {
  readonly #host: LambdaHost;
  readonly #authorizer: Authorizer;
  readonly #principal: RoleSession;

  constructor(host: LambdaHost, authorizer: Authorizer, principal: RoleSession) {
    this.#host = host;
    this.#authorizer = authorizer;
    this.#principal = principal;
  }

  /** `arn:aws:states:::lambda:invoke`: input is the evaluated Parameters, result is Invoke's answer. */
  async invoke(parameters: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { FunctionName, Payload, InvocationType, [TIMEOUT_FIELD]: _, ...unknown } = parameters;
    const extra = Object.keys(unknown)[0];
    if (extra !== undefined) {
      throw new TaskError(
        'States.Runtime',
        `the local lambda:invoke does not support the parameter ${extra}`,
      );
    }
    if (InvocationType === 'Event') {
      await this.#allow(String(FunctionName));
      this.#host.invokeAsync(String(FunctionName), Buffer.from(JSON.stringify(Payload ?? {})));
      return { ExecutedVersion: '$LATEST', StatusCode: 202 };
    }
    return {
      ExecutedVersion: '$LATEST',
      Payload: await this.call(String(FunctionName), Payload),
      StatusCode: 200,
    };
  }

  /** A task whose resource is a function ARN: input and result are bare. */
  async call(functionReference: string, payload: unknown): Promise<unknown> {
    const name = await this.#allow(functionReference);
    const result = await this.#host.invoke(name, Buffer.from(JSON.stringify(payload ?? {})));
    if (!result.ok) {
      // Lambda's error document as a whole is the cause, its errorType the name.
      throw new TaskError(result.errorType, result.payload.toString('utf8'));
    }
    if (result.payload.length > MAX_DATA_BYTES) {
      throw new TaskError(
        'States.DataLimitExceeded',
        `The state/task returned a result with a size exceeding the maximum number of bytes service limit (${result.payload.length})`,
      );
    }
    return JSON.parse(result.payload.toString('utf8'));
  }

  async #allow(functionReference: string): Promise<string> {
    try {
      const config = this.#host.find(functionReference);
      // The ARN as the definition names it: a grant on the function does not cover its versions, nor the reverse.
      const resource = functionReference.startsWith('arn:') ? functionReference : config.arn;
      await this.#authorizer.require({
        principal: this.#principal,
        action: 'lambda:InvokeFunction',
        resource,
      });
      return config.name;
    } catch (error) {
      const { code, message } = error as AwsServiceError;
      throw new TaskError(`Lambda.${code ?? 'Unknown'}`, message);
    }
  }
}
