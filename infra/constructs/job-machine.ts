import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Definition } from '../state-machines.ts';
import { acknowledge, acknowledgeResourceWildcard, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';

export interface JobMachineProps {
  /** Part of the log group's name. */
  readonly name: string;
  readonly stageName: string;
  readonly definition: Definition;
  /** The functions that the definition calls. */
  readonly functions: readonly lambda.IFunction[];
  readonly logRetention: logs.RetentionDays;
  readonly logKey: kms.IKey;
}

/** A standard state machine that runs one kind of job. */
export class JobMachine extends Construct {
  readonly machine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: JobMachineProps) {
    super(scope, id);
    this.machine = new sfn.StateMachine(this, 'Machine', {
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromString(Stack.of(this).toJsonString(props.definition)),
      tracingEnabled: true,
      logs: {
        level: sfn.LogLevel.ERROR,
        includeExecutionData: false,
        destination: new logs.LogGroup(this, 'Logs', {
          // The prefix keeps log delivery from filling the account's resource policy, which has 5,120 characters.
          logGroupName: `/aws/vendedlogs/states/tenantml-${props.stageName}-${props.name}`,
          retention: props.logRetention,
          encryptionKey: props.logKey,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    // The unqualified function only: a plain grant would add every version and alias as a wildcard.
    for (const target of props.functions) target.grantInvokeLatestVersion(this.machine);
    acknowledge(
      this.machine,
      'AwsSolutions-SF1',
      'Errors are logged; every transition is in the execution history already, and logging all of them would be paid twice.',
    );
    acknowledge(this.machine, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
    acknowledge(
      this.machine,
      'AwsSolutions-IAM5[Resource::*]',
      'Log delivery and X-Ray have no resource to name; the statement is the one AWS documents for state machines.',
    );
  }

  get arn(): string {
    return this.machine.stateMachineArn;
  }

  /** Lets the grantee ask whether the machine is there. */
  grantDescribe(grantee: iam.IRole): void {
    grantee.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ['states:DescribeStateMachine'], resources: [this.arn] }),
    );
  }

  /** Lets the grantee stop executions of this machine. */
  grantStop(grantee: iam.IRole): void {
    const { partition, region, account } = Stack.of(grantee);
    const prefix = `arn:${partition}:states:${region}:${account}:execution:`;
    grantee.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['states:StopExecution'],
        resources: [`${prefix}${this.machine.stateMachineName}:*`],
      }),
    );
    acknowledgeResourceWildcard(
      grantee,
      this.machine,
      { prefix, value: this.machine.stateMachineName, suffix: ':*' },
      'The executions of one machine: their names are those of jobs, which a role cannot know beforehand.',
    );
  }
}
