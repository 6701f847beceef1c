import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { acknowledge, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';

export interface FunctionScheduleProps {
  readonly target: lambda.Function;
  readonly rate: Duration;
  readonly description: string;
}

/** Calls a function again and again. */
export class FunctionSchedule extends Construct {
  constructor(scope: Construct, id: string, props: FunctionScheduleProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        // Only schedules of this account may use the role.
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    new scheduler.Schedule(this, 'Schedule', {
      schedule: scheduler.ScheduleExpression.rate(props.rate),
      description: props.description,
      target: new LambdaInvoke(props.target, {
        role,
        // The next call does what a missed one would have done.
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    });
    acknowledge(role, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
    const target = Stack.of(this).getLogicalId(props.target.node.defaultChild as lambda.CfnFunction);
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::<${target}.Arn>:*]`,
      'The versions of one function, as the target construct of CDK grants them.',
    );
  }
}
