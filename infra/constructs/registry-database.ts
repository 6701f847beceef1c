import { readFileSync } from 'node:fs';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { StageSettings } from '../stage.ts';
import { acknowledge, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';
import type { PrivateNetwork } from './private-network.ts';

const DATABASE_NAME = 'tenantml';
/** Long enough for a burst of requests, short enough for Aurora to pause although frozen containers hold connections. */
const IDLE_SESSION_TIMEOUT_MS = 60_000;

/** The id that CDK gives the one function behind every AwsCustomResource of a stack. */
const AWS_CUSTOM_RESOURCE_PROVIDER = 'AWS679f53fac002430cb0da5b7982bd2287';

/** Keys of the serving table at which functions say how they found the database. */
export const DATABASE_CONTACT: readonly string[] = ['health/*'];

/** The roles that `bootstrap.sql` makes. */
export type DatabaseUser = 'tenantml_app' | 'tenantml_migrator';

export interface RegistryDatabaseProps {
  readonly settings: StageSettings;
  readonly network: PrivateNetwork;
  readonly encryptionKey: kms.IKey;
  /** The idempotent script that makes database roles, run by the master user through the Data API. */
  readonly bootstrapFile: string;
}

/** Aurora Serverless v2 for PostgreSQL that pauses when nobody uses it and takes IAM tokens instead of passwords. */
export class RegistryDatabase extends Construct {
  readonly cluster: rds.DatabaseCluster;

  constructor(scope: Construct, id: string, props: RegistryDatabaseProps) {
    super(scope, id);
    const { settings, network } = props;
    const retain = settings.removal === 'retain';
    const engine = rds.DatabaseClusterEngine.auroraPostgres({
      version: rds.AuroraPostgresEngineVersion.VER_18_6,
    });

    this.cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine,
      writer: rds.ClusterInstance.serverlessV2('Writer', { publiclyAccessible: false }),
      serverlessV2MinCapacity: 0,
      serverlessV2MaxCapacity: settings.database.maxAcu,
      serverlessV2AutoPauseDuration: Duration.minutes(settings.database.autoPauseMinutes),
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      securityGroups: [network.databaseSecurityGroup],
      defaultDatabaseName: DATABASE_NAME,
      credentials: rds.Credentials.fromGeneratedSecret('postgres', { encryptionKey: props.encryptionKey }),
      iamAuthentication: true,
      enableDataApi: true,
      storageEncrypted: true,
      storageEncryptionKey: props.encryptionKey,
      backup: { retention: Duration.days(settings.database.backupRetentionDays) },
      deletionProtection: retain,
      removalPolicy: retain ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
      parameterGroup: new rds.ParameterGroup(this, 'Parameters', {
        engine,
        parameters: {
          'rds.force_ssl': '1',
          idle_session_timeout: String(IDLE_SESSION_TIMEOUT_MS),
        },
      }),
    });
    for (const id of ['AwsSolutions-SMG4', 'NIST.800.53.R5-SecretsManagerRotationEnabled']) {
      acknowledge(
        this.cluster,
        id,
        'The master password is used by the deployment only, through the Data API; a rotation would wake the paused cluster. All functions use IAM tokens.',
      );
    }
    acknowledge(
      this.cluster,
      'NIST.800.53.R5-RDSLoggingEnabled[LogExport::postgresql]',
      "The log of Postgres may quote statements with tenants' values, in a group that no setting of ours expires; who changed what is in the audit table.",
    );
    acknowledge(
      this.cluster,
      'NIST.800.53.R5-RDSEnhancedMonitoringEnabled',
      'It is billed by the log lines that it writes while the cluster is awake; load is watched by the alarm on its capacity.',
    );
    acknowledge(
      this.cluster,
      'NIST.800.53.R5-RDSInBackupPlan',
      'Aurora backs itself up all the time, kept for as many days as the stage says; a plan of AWS Backup would keep what was deleted for longer than tenants are told.',
    );
    if (!retain) {
      for (const id of ['AwsSolutions-RDS10', 'NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled'])
        acknowledge(this.cluster, id, 'A stage whose settings say removal: destroy is meant to go away.');
    }
    this.makeRoles(props);
  }

  /** The environment with which a function finds the database. */
  environment(user: DatabaseUser): Record<string, string> {
    return {
      DATABASE_HOST: this.cluster.clusterEndpoint.hostname,
      DATABASE_PORT: String(this.cluster.clusterEndpoint.port),
      DATABASE_NAME,
      DATABASE_USER: user,
    };
  }

  /** Lets the grantee log in as a database role. */
  grantConnect(grantee: IRole, user: DatabaseUser): void {
    this.cluster.grantConnect(grantee, user);
  }

  private makeRoles(props: RegistryDatabaseProps): void {
    const secret = this.cluster.secret;
    if (!secret) throw new Error('the cluster has no master secret');
    const logGroup = new logs.LogGroup(this, 'BootstrapLogs', {
      retention: props.settings.logRetentionDays as logs.RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
      encryptionKey: props.encryptionKey,
    });
    const call: cr.AwsSdkCall = {
      service: 'RDSData',
      action: 'executeStatement',
      parameters: {
        resourceArn: this.cluster.clusterArn,
        secretArn: secret.secretArn,
        database: DATABASE_NAME,
        sql: asOneStatement(readFileSync(props.bootstrapFile, 'utf8')),
      },
      physicalResourceId: cr.PhysicalResourceId.of('database-roles'),
    };
    const bootstrap = new cr.AwsCustomResource(this, 'Bootstrap', {
      resourceType: 'Custom::DatabaseBootstrap',
      onCreate: call,
      onUpdate: call,
      installLatestAwsSdk: false,
      memorySize: 256,
      timeout: Duration.minutes(2),
      logGroup,
      policy: cr.AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['rds-data:ExecuteStatement'], resources: [this.cluster.clusterArn] }),
      ]),
    });
    acknowledge(bootstrap, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
    secret.grantRead(bootstrap);
    // The cluster with its writer: without an instance there is nothing to run statements on.
    bootstrap.node.addDependency(this.cluster);

    const provider = Stack.of(this).node.tryFindChild(AWS_CUSTOM_RESOURCE_PROVIDER);
    if (!provider) return;
    const reason =
      'The function of AwsCustomResource belongs to CDK, is called by CloudFormation, which waits for its answer, and has neither data nor settings of ours.';
    acknowledge(
      provider,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason,
    );
    acknowledge(provider, 'Serverless-LambdaDLQ', reason);
    acknowledge(provider, 'Serverless-LambdaTracing', reason);
    for (const rule of ['LambdaDLQ', 'LambdaConcurrency', 'LambdaInsideVPC'])
      acknowledge(provider, `NIST.800.53.R5-${rule}`, reason);
    acknowledge(provider, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
  }
}

/** The Data API takes one statement per call; a block is one, and makes the script all or nothing. */
export function asOneStatement(script: string): string {
  return `DO $bootstrap$ BEGIN\n${script}\nEND $bootstrap$`;
}
