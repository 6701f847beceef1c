import { ACCOUNT_ID, arn } from '../aws/account.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { type Principal, roleNameOf, roleSession, servicePrincipal } from '../iam/principal.ts';
import type { LambdaHost } from '../lambda/lambda-host.ts';
import type { StateMachineServer } from '../step-functions/state-machine-server.ts';

export interface TargetReference {
  readonly Arn: string;
  readonly RoleArn?: string;
}

export interface Caller {
  /** Whose permission counts when the target names no role: `events` or `scheduler`. */
  readonly service: string;
  /** ARN of the rule or schedule. */
  readonly sourceArn: string;
}

/** Delivers to what rules and schedules of the platform may point at: functions, state machines, buses. */
export class Targets {
  readonly #host: LambdaHost;
  readonly #machines: StateMachineServer;
  readonly #authorizer: Authorizer;
  #putEvent: ((bus: string, event: unknown) => void) | undefined;

  constructor(host: LambdaHost, machines: StateMachineServer, authorizer: Authorizer) {
    this.#host = host;
    this.#machines = machines;
    this.#authorizer = authorizer;
  }

  /** Buses can be targets too; the bus is made after this. */
  connectBus(putEvent: (bus: string, event: unknown) => void): void {
    this.#putEvent = putEvent;
  }

  async deliver(target: TargetReference, input: string, caller: Caller): Promise<void> {
    const principal: Principal =
      target.RoleArn === undefined
        ? servicePrincipal(caller.service)
        : roleSession(roleNameOf(target.RoleArn), caller.service);
    const context = { 'aws:SourceArn': caller.sourceArn, 'aws:SourceAccount': ACCOUNT_ID };
    const service = target.Arn.split(':')[2];
    if (service === 'lambda') {
      const { name } = this.#host.find(target.Arn);
      const resource = arn('lambda', `function:${name}`);
      await this.#authorizer.require({ principal, action: 'lambda:InvokeFunction', resource, context });
      this.#host.invokeAsync(name, Buffer.from(input));
    } else if (service === 'states') {
      await this.#authorizer.require({ principal, action: 'states:StartExecution', resource: target.Arn });
      this.#machines.startExecution(target.Arn, input);
    } else if (service === 'events') {
      await this.#authorizer.require({ principal, action: 'events:PutEvents', resource: target.Arn });
      this.#putEvent?.(target.Arn.slice(target.Arn.lastIndexOf('/') + 1), JSON.parse(input));
    } else {
      throw new AwsServiceError('TargetUnsupported', `the twin cannot deliver to ${target.Arn}`);
    }
  }
}
