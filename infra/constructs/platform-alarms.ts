import { Duration, Stack } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IRule } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { DatabaseCluster } from 'aws-cdk-lib/aws-rds';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { StageSettings } from '../stage.ts';
import { acknowledge } from './acknowledgement.ts';

export interface PlatformAlarmsProps {
  readonly settings: StageSettings;
  readonly api: IHttpApi;
  readonly cluster: DatabaseCluster;
  readonly lostEvents: IQueue;
  /** Encrypts what is sent. */
  readonly encryptionKey: kms.IKey;
  /** Matches executions that failed or timed out. */
  readonly failedExecutions: IRule;
}

const FIVE_MINUTES = Duration.minutes(5);

/** The few alarms that say the platform is unwell. Each costs money, so they watch the whole account or platform. */
export class PlatformAlarms extends Construct {
  private readonly actions: cloudwatch.IAlarmAction[];

  constructor(scope: Construct, id: string, props: PlatformAlarmsProps) {
    super(scope, id);
    this.actions = this.topics(props).map((topic) => new SnsAction(topic));

    this.alarm('LambdaErrors', {
      metric: lambdaMetric('Errors'),
      threshold: 5,
      evaluationPeriods: 1,
      alarmDescription: 'Functions of this account raised 5 errors or more in 5 minutes',
    });
    this.alarm('LambdaThrottles', {
      metric: lambdaMetric('Throttles'),
      threshold: 1,
      evaluationPeriods: 2,
      alarmDescription:
        'Calls were refused for want of concurrency in two periods running; raise the account quota',
    });
    this.alarm('JobsFailing', {
      // One metric, where those of the machines would be two for each of them.
      metric: new cloudwatch.Metric({
        ...{ namespace: 'AWS/Events', metricName: 'TriggeredRules', statistic: 'Sum', period: FIVE_MINUTES },
        dimensionsMap: { RuleName: props.failedExecutions.ruleName },
      }),
      // A single failure is mostly a tenant's data; a handful at once is mostly the platform.
      threshold: 5,
      evaluationPeriods: 1,
      alarmDescription: 'Five jobs or more failed or timed out in 5 minutes',
    });
    this.alarm('EventsLost', {
      metric: props.lostEvents.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES }),
      threshold: 1,
      evaluationPeriods: 1,
      alarmDescription:
        'The end of an execution did not reach close-job; a job may look as if it were running',
    });
    this.alarm('ApiServerErrors', {
      metric: props.api.metricServerError({ period: FIVE_MINUTES, statistic: 'Sum' }),
      threshold: 5,
      evaluationPeriods: 1,
      alarmDescription: 'The API answered 5xx five times or more in 5 minutes',
    });
    this.alarm('ArtifactsRefused', {
      // In dimensions of its own: an account may hold several stages.
      metric: new cloudwatch.Metric({
        ...{ namespace: 'TenantML', metricName: 'artifacts_refused', statistic: 'Sum', period: FIVE_MINUTES },
        dimensionsMap: { stage: props.settings.name, outcome: 'process' },
      }),
      threshold: 1,
      evaluationPeriods: 1,
      alarmDescription:
        'A model version was not loaded: its bytes or its signature are not those that were registered',
    });
    this.alarm('DatabaseAtCapacity', {
      metric: props.cluster.metricACUUtilization({ period: FIVE_MINUTES, statistic: 'Average' }),
      threshold: 90,
      evaluationPeriods: 3,
      alarmDescription: 'Aurora has used 90 % of its capacity for 15 minutes; raise database.maxAcu',
    });
  }

  private alarm(
    id: string,
    props: Omit<cloudwatch.AlarmProps, 'comparisonOperator' | 'treatMissingData'>,
  ): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      ...props,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // Idle is healthy: most of these metrics are silent when nothing happens.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...this.actions);
    if (this.actions.length === 0) {
      acknowledge(
        alarm,
        'NIST.800.53.R5-CloudWatchAlarmAction',
        'Where alarms go is a setting of the stage (alarms.topicArn, alarms.email), and this stage names nobody.',
      );
    }
  }

  private topics({ settings, encryptionKey }: PlatformAlarmsProps): sns.ITopic[] {
    const { topicArn, email } = settings.alarms;
    const topics: sns.ITopic[] = [];
    if (topicArn !== undefined) topics.push(sns.Topic.fromTopicArn(this, 'OperatorTopic', topicArn));
    if (email !== undefined) {
      const topic = new sns.Topic(this, 'Topic', { enforceSSL: true, masterKey: encryptionKey });
      // The policy that enforces TLS replaces the default one, under which CloudWatch could publish.
      const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      });
      topic.grantPublish(cloudWatch);
      encryptionKey.grant(cloudWatch, 'kms:Decrypt', 'kms:GenerateDataKey');
      const subscription = topic.addSubscription(new EmailSubscription(email));
      acknowledge(
        subscription,
        'Serverless-SNSRedrivePolicy',
        'A mail that was not delivered is no work to be done again: the alarm keeps its state and is shown by CloudWatch.',
      );
      topics.push(topic);
    }
    return topics;
  }
}

/** Without dimensions: the sum over every function of the account. */
function lambdaMetric(metricName: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/Lambda',
    metricName,
    statistic: 'Sum',
    period: FIVE_MINUTES,
  });
}
