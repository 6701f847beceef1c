import { describe, expect, it } from 'vitest';
import { stages } from '../../infra/stages.ts';
import { ingestDefinition } from '../../infra/state-machines.ts';
import { maxUploadBytes } from '../../src/contracts/datasets.ts';
import { gatewayRoutes } from '../../src/contracts/planes.ts';
import { ingestTimeoutMinutes } from '../../src/contracts/time-limits.ts';
import {
  identityStatements,
  platformFunctions,
  type Synthesized,
  synthesize,
} from './support/synthesized-app.ts';

const prod = synthesize({ stage: 'prod' });
const dev = synthesize({ stage: 'dev' });
const functions = platformFunctions(dev);

describe('functions', () => {
  it('are these', () => {
    expect([...functions.keys()].sort()).toEqual([
      'authorizer',
      'batch',
      'close-job',
      'datasets',
      'import',
      'ingest',
      'migrate',
      'monitoring',
      'platform',
      'pre-token',
      'predict',
      'predict-imported',
      'registrar',
      'registry',
      'relay',
      'repair',
      'retention',
      'retrain',
      'tenant',
      'tenant-rows',
      'tenants',
      'train',
      'trainer-large',
      'trainer-medium',
      'trainer-small',
    ]);
  });

  it('run Node.js 24 on arm64 with traces, JSON logs and a limit', () => {
    for (const { Properties } of functions.values()) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
      });
      expect(Properties.LoggingConfig.LogFormat).toBe('JSON');
      expect(Properties.Timeout).toBeGreaterThan(0);
      expect(Properties.MemorySize).toBeGreaterThanOrEqual(256);
    }
  });

  it('have room below /tmp for what they read', () => {
    const storage = Object.fromEntries(
      [...functions].flatMap(([name, { Properties }]) =>
        Properties.EphemeralStorage === undefined ? [] : [[name, Properties.EphemeralStorage.Size]],
      ),
    );
    expect(storage).toEqual({
      batch: 10_240,
      datasets: 1024,
      ingest: 10_240,
      'trainer-small': 2048,
      'trainer-medium': 4096,
      'trainer-large': 6144,
    });
    // The upload and the Parquet file that is made of it.
    expect(storage.ingest * 1024 * 1024).toBeGreaterThanOrEqual(2 * maxUploadBytes);
  });

  it('give an ingest as long as Lambda allows, each limit beyond the last one', () => {
    expect(functions.get('ingest')?.Properties.Timeout).toBe(900);
    const machine = ingestDefinition({ ingest: 'a', closeJob: 'b' }, ingestTimeoutMinutes);
    expect(machine.States.Ingest?.TimeoutSeconds).toBe(910);
    expect(machine.TimeoutSeconds).toBeGreaterThan(910);
    const deployed = dev
      .resources('AWS::StepFunctions::StateMachine')
      .filter(({ logicalId }) => logicalId.startsWith('Ingest'))
      .map(({ Properties }) => JSON.stringify(Properties.DefinitionString ?? Properties.Definition));
    expect(deployed).toHaveLength(1);
    expect(deployed[0]).toMatch(/TimeoutSeconds\W+1200\b/);
  });

  it('leave to CDK only the helpers of its custom resources', () => {
    const helpers = dev
      .resources('AWS::Lambda::Function')
      .filter(({ Properties }) => Properties.Environment?.Variables?.POWERTOOLS_SERVICE_NAME === undefined);
    expect(helpers.map(({ stack, logicalId }) => `${stack}/${logicalId.slice(0, 20)}`).sort()).toEqual([
      'api/AWSCDKTriggerCustomR',
      'data/AWS679f53fac002430cb',
    ]);
  });

  it('have a log group of their own that forgets', () => {
    const groups = new Map(dev.resources('AWS::Logs::LogGroup').map((group) => [group.logicalId, group]));
    for (const { Properties } of functions.values()) {
      expect(groups.get(Properties.LoggingConfig.LogGroup.Ref)?.Properties.RetentionInDays).toBe(14);
    }
    for (const group of groups.values()) expect(group.Properties.RetentionInDays).toBe(14);
  });

  it('are in the network only where Postgres is needed, and then with IPv6', () => {
    const inNetwork = [...functions].filter(([, { Properties }]) => Properties.VpcConfig !== undefined);
    expect(inNetwork.map(([name]) => name).sort()).toEqual([
      ...['migrate', 'registrar', 'registry', 'relay', 'tenant-rows'],
    ]);
    for (const [, { Properties }] of inNetwork) {
      expect(Properties.VpcConfig.Ipv6AllowedForDualStack).toBe(true);
      expect(Properties.VpcConfig.SubnetIds).toHaveLength(2);
      expect(Properties.VpcConfig.SecurityGroupIds).toHaveLength(1);
      expect(Properties.Environment.Variables).toMatchObject({
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
        AWS_ENDPOINT_URL_EVENTBRIDGE: {
          'Fn::Join': ['', ['https://events.', { Ref: 'AWS::Region' }, '.api.aws']],
        },
        AWS_ENDPOINT_URL_STS: { 'Fn::Join': ['', ['https://sts.', { Ref: 'AWS::Region' }, '.api.aws']] },
      });
    }
  });

  it('never turn on the dual-stack flag that breaks PutEvents', () => {
    for (const { Properties } of functions.values()) {
      expect(Properties.Environment.Variables.AWS_USE_DUALSTACK_ENDPOINT).toBeUndefined();
    }
  });

  it.each([
    ['authorizer', ['ACCESS_TABLE', 'OIDC_AUDIENCE', 'OIDC_ISSUER', 'OIDC_ROLE_CLAIM', 'OIDC_TENANT_CLAIM']],
    [
      'predict',
      [
        ...['ARTIFACT_BUCKET', 'BATCH_STATE_MACHINE_ARN', 'IMPORTED_FUNCTION_NAME', 'JOBS_TABLE'],
        ...['ML_MODEL_CACHE_SIZE', 'NODE_OPTIONS', 'PREDICTION_BUCKET'],
        ...['SERVING_TABLE', 'STAGING_BUCKET', 'TENANT_PLANS', 'TENANT_ROLE_ARN', 'TRANSIENT_TABLE'],
      ],
    ],
    [
      'batch',
      [
        ...['ARTIFACT_BUCKET', 'BATCH_RESULT_DAYS', 'IMPORTED_FUNCTION_NAME', 'JOBS_TABLE'],
        ...['RESULT_BUCKET', 'SERVING_TABLE', 'STAGING_BUCKET', 'TENANT_ROLE_ARN'],
      ],
    ],
    [
      'import',
      [
        'ARTIFACT_BUCKET',
        'IMPORTED_FUNCTION_NAME',
        'JOBS_TABLE',
        'SIGNING_KEY_ID',
        'STAGING_BUCKET',
        'TENANT_ROLE_ARN',
      ],
    ],
    [
      'tenant',
      [
        ...['ACCESS_TABLE', 'AUDIT_TABLE', 'ML_PERFORMANCE_THRESHOLD', 'ML_RETRAINING_FEEDBACK_THRESHOLD'],
        ...[
          'ML_TRAINING_TIMEOUT_MINUTES',
          'PREDICTION_LOG_DAYS',
          'SERVING_TABLE',
          'TENANT_PLANS',
          'TENANT_ROLE_ARN',
        ],
      ],
    ],
    ['predict-imported', []],
    [
      'trainer-small',
      ['ARTIFACT_BUCKET', 'JOBS_TABLE', 'SIGNING_KEY_ID', 'STAGING_BUCKET', 'TENANT_ROLE_ARN'],
    ],
    ['repair', ['INTENTS_TABLE', 'RELAY_FUNCTION_NAME']],
    ['pre-token', ['ACCESS_TABLE']],
    ['close-job', ['EVENT_BUS_NAME', 'JOBS_TABLE', 'TENANT_ROLE_ARN']],
  ])('%s knows what it needs and no more', (name, expected) => {
    const common = /^(TENANTML_STAGE|POWERTOOLS_.*)$/;
    const variables = Object.keys(functions.get(name)?.Properties.Environment.Variables);
    expect(variables.filter((variable) => !common.test(variable)).sort()).toEqual(expected);
  });

  it('let versions without a signature pass only where the stage says so', () => {
    const told = (app: Synthesized) =>
      [...platformFunctions(app)]
        .filter(([, { Properties }]) => Properties.Environment.Variables.UNSIGNED_MODELS === 'allow')
        .map(([name]) => name)
        .sort();
    expect(told(dev)).toEqual([]);
    const migrating = synthesize({
      stage: 'migrating',
      stages: { migrating: { ...stages.prod, unsignedModels: 'allow' } },
    });
    expect(told(migrating)).toEqual([
      ...['batch', 'monitoring', 'predict', 'registrar', 'registry', 'train'],
    ]);
  });

  it('log in as the role that fits their work', () => {
    const user = (name: string) => functions.get(name)?.Properties.Environment.Variables.DATABASE_USER;
    expect(user('migrate')).toBe('tenantml_migrator');
    for (const name of ['registry', 'registrar', 'relay']) expect(user(name)).toBe('tenantml_app');
    const connects = identityStatements(dev).filter(({ actions }) => actions.includes('rds-db:connect'));
    const migrator = connects.filter(({ resources }) =>
      JSON.stringify(resources).includes('/tenantml_migrator'),
    );
    expect(migrator.map(({ owner }) => owner.replace(/DefaultPolicy.*/, '')).sort()).toEqual([
      ...['api/MigrateRole', 'api/TenantRowsRole'],
    ]);
    expect(connects).toHaveLength(5);
  });
});

describe('permissions', () => {
  const statements = identityStatements(dev);

  it('name every action', () => {
    const wild = statements.filter(
      ({ effect, actions }) => effect === 'Allow' && actions.some((a) => a.includes('*')),
    );
    expect(wild).toEqual([]);
  });

  it('let what writes builds sign them, what deploys publish the key, and nothing else ask for either', () => {
    const holders = (action: string) =>
      statements
        .filter(({ actions }) => actions.includes(action))
        .map(({ owner, resources }) => {
          expect(JSON.stringify(resources)).toContain('SigningKey');
          return owner.replace(/RoleDefaultPolicy.*/, '');
        })
        .sort();
    expect(holders('kms:Sign')).toEqual([
      ...['training/ImportFunction', 'training/TrainerLarge', 'training/TrainerMedium'],
      'training/TrainerSmall',
    ]);
    expect(holders('kms:GetPublicKey')).toEqual(['api/Migrate']);
  });

  it('name the resource, except where AWS has none to name', () => {
    // X-Ray, the network interfaces of functions in a VPC, and log delivery of state machines.
    const nameless = /^(xray:(Put|Get)\w+|ec2:\w*(NetworkInterface|Subnet|PrivateIpAddress)\w*|logs:\w+)$/;
    const open = statements
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions }) => actions);
    expect(open.filter((action) => !nameless.test(action))).toEqual([]);
    expect(open).toContain('xray:PutTraceSegments');
  });

  it("reach objects below the prefix of the session's tenant only", () => {
    const objects = statements.filter(({ actions }) =>
      actions.some((action) => /^s3:\w+Object$/.test(action)),
    );
    expect(objects.length).toBeGreaterThan(5);
    for (const { owner, resources } of objects) {
      expect(owner).toMatch(/TenantsRoleDefaultPolicy/);
      for (const resource of resources)
        expect(JSON.stringify(resource)).toMatch(/"\/tenants\/\$\{aws:PrincipalTag\/tenant\}\/[^"]*"\]\]\}$/);
    }
  });

  it('reach items by leading key, and ask that one is named', () => {
    const withoutKey = statements
      .filter(({ actions }) => actions.some((action) => action.startsWith('dynamodb:')))
      .filter(({ condition }) => {
        const {
          'ForAllValues:StringLike': patterns,
          'ForAllValues:StringEquals': leading = patterns,
          Null: named,
        } = (condition ?? {}) as Record<string, object>;
        return !(leading && JSON.stringify(named) === JSON.stringify({ 'dynamodb:LeadingKeys': 'false' }));
      })
      .map(({ owner, actions, resources }) => {
        const table = /Output\w*?GetAtt(\w+?Table)/.exec(JSON.stringify(resources))?.[1];
        return `${owner.replace(/Role\w*$/, '')} ${table} ${actions.map((action) => action.slice(9)).join(' ')}`;
      });
    // A scan has no key, and the index is keyed by due time.
    expect(withoutKey.sort()).toEqual([
      'api/Repair IntentsTable Scan',
      // Settings are found among pointers, once a day.
      'api/Retention ServingTable Scan',
      // Of all tables: whoever removes a tenant reads every item, as no key leads to all that names it.
      'api/Tenants AccessTable DeleteItem Scan',
      'training/Retrain JobsTable Query',
    ]);
  });

  it('say how they found the database, and write nothing else that is no tenant\u2019s beside pointers', () => {
    const writers = statements.filter(
      ({ actions, condition }) =>
        actions.includes('dynamodb:PutItem') && JSON.stringify(condition ?? {}).includes('"health/*"'),
    );
    expect(writers.map(({ owner }) => owner.replace(/Role\w*$/, '')).sort()).toEqual([
      ...['api/Registry', 'api/Relay', 'training/Registrar'],
    ]);
    for (const { condition, actions } of writers)
      expect([actions, condition]).toMatchObject([
        ['dynamodb:PutItem'],
        { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['health/*'] } },
      ]);
  });

  const actionsOf = (role: string) =>
    statements
      .filter(({ owner }) => owner.startsWith(role))
      .flatMap((statement) => statement.actions)
      .filter((action) => !/^(logs|xray|kms):/.test(action))
      .sort();

  it('let predict start batch jobs, call imported graphs, open sessions of tenants, and do nothing else', () => {
    expect(actionsOf('api/PredictRole')).toEqual([
      // The key of prediction ids, and the owners of batch jobs.
      ...['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      ...['lambda:InvokeFunction', 'states:StartExecution', 'sts:AssumeRole', 'sts:TagSession'],
    ]);
  });

  it('let its sessions read artifacts and pointers, write log, leases and cached outputs, ask endpoints, and do nothing else', () => {
    expect(actionsOf('api/PredictTenantsRole')).toEqual([
      ...['dynamodb:GetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:PutItem'],
      'dynamodb:UpdateItem',
      ...['s3:AbortMultipartUpload', 's3:AbortMultipartUpload', 's3:GetObject', 's3:GetObject'],
      ...['s3:ListBucket', 's3:PutObject', 's3:PutObject'],
      'sagemaker:InvokeEndpoint',
    ]);
    const keys = statements
      .filter(({ owner }) => owner.startsWith('api/PredictTenantsRole'))
      .flatMap((statement) => statement.actions)
      .filter((action) => action.startsWith('kms:'));
    expect(keys.sort()).toEqual([
      ...['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
      ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
    ]);
  });

  it('let imported graphs reach nothing, and be called by those only that know the tenant', () => {
    const own = statements
      .filter(({ owner }) => owner.startsWith('training/PredictImportedRole'))
      .flatMap((statement) => statement.actions);
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
    const callers = statements
      .filter(({ resources }) => JSON.stringify(resources).includes('PredictImported'))
      .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
      .map(({ owner }) => owner.replace(/(Default)?Policy.*/, ''));
    expect(callers.sort()).toEqual([
      'api/PredictRole',
      'training/BatchFunctionRole',
      'training/ImportFunctionRole',
    ]);
    expect(functions.get('predict-imported')?.Properties).toMatchObject({
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
      MemorySize: 1769,
      Timeout: 15,
    });
  });

  it('give no one the master password but the bootstrap', () => {
    const readers = statements.filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue'));
    expect(readers.length).toBeGreaterThan(0);
    for (const { owner } of readers) expect(owner).toMatch(/^data\/(AWS679f53fac002430cb|DatabaseBootstrap)/);
  });
});

describe('HTTP API', () => {
  const routes = prod.resources('AWS::ApiGatewayV2::Route');

  it('has the routes of the route table, far fewer than API Gateway allows', () => {
    expect(routes.map(({ Properties }) => Properties.RouteKey).sort()).toEqual(
      gatewayRoutes.map(({ routeKey }) => routeKey).sort(),
    );
    expect(routes.length).toBeLessThanOrEqual(300);
  });

  it('authorizes every route except those of the route table that are open', () => {
    const open = routes.filter(({ Properties }) => Properties.AuthorizerId === undefined);
    expect(open.map(({ Properties }) => Properties.RouteKey)).toEqual(
      gatewayRoutes.filter(({ authorized }) => !authorized).map(({ routeKey }) => routeKey),
    );
  });

  it('asks the authorizer once in five minutes, in the simple form', () => {
    const [authorizer, ...more] = prod.resources('AWS::ApiGatewayV2::Authorizer');
    expect(more).toEqual([]);
    expect(authorizer?.Properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      AuthorizerResultTtlInSeconds: 300,
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
    });
  });

  it('has one integration and one permission for each function', () => {
    const integrations = prod.resources('AWS::ApiGatewayV2::Integration');
    expect(integrations).toHaveLength(new Set(gatewayRoutes.map((route) => route.function)).size);
    const permissions = prod
      .resources('AWS::Lambda::Permission')
      .filter(
        ({ stack, Properties }) => stack === 'api' && Properties.Principal === 'apigateway.amazonaws.com',
      );
    const targets = permissions.map(({ Properties }) => JSON.stringify(Properties.FunctionName));
    expect(new Set(targets).size).toBe(targets.length);
    expect(targets).toHaveLength(integrations.length + 1);
  });

  it('lets the gateway call the function of $default, whose ARN has no path', () => {
    const [permission] = prod
      .resources('AWS::Lambda::Permission')
      .filter(({ Properties }) => JSON.stringify(Properties.FunctionName).includes('PlatformFunction'));
    expect(permission?.Properties.SourceArn['Fn::Join'][1].at(-1)).toBe('/*/*');
  });

  it('throttles and logs its one stage', () => {
    const [stage, ...more] = prod.resources('AWS::ApiGatewayV2::Stage');
    expect(more).toEqual([]);
    expect(stage?.Properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
    });
    const fields = Object.values(
      JSON.parse(stage?.Properties.AccessLogSettings.Format) as Record<string, string>,
    );
    expect(fields).toContain('$context.requestId');
    expect(fields.some((field) => /header|authorization/i.test(field))).toBe(false);
  });

  it('takes the issuer of a stage from a parameter, and of Cognito from the pool', () => {
    expect(prod.templates.api?.Parameters?.OidcIssuer?.Default).toBe('https://identity.example.com');
    // CloudFormation refuses the placeholder, so that it never goes live.
    expect(prod.templates.api?.Rules?.OidcIssuerIsSet?.Assertions).toMatchObject([
      { Assert: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'OidcIssuer' }, 'https://identity.example.com'] }] } },
    ]);
    const issuer = (app: typeof prod) =>
      platformFunctions(app).get('authorizer')?.Properties.Environment.Variables.OIDC_ISSUER;
    expect(issuer(prod)).toEqual({ Ref: 'OidcIssuer' });
    expect(dev.templates.api?.Parameters?.OidcIssuer).toBeUndefined();
    expect(JSON.stringify(issuer(dev))).toContain('cognito-idp');
  });

  it('migrates before new code of the registry arrives', () => {
    const [trigger] = prod.resources('Custom::Trigger');
    for (const name of ['registry', 'relay']) {
      expect(platformFunctions(prod).get(name)?.DependsOn).toContain(trigger?.logicalId);
    }
  });
});

describe('identity', () => {
  it('exists only where the stage asks for Cognito', () => {
    expect(prod.resources('AWS::Cognito::UserPool')).toEqual([]);
    expect(dev.resources('AWS::Cognito::UserPool')).toHaveLength(1);
  });

  it('adds claims by a version 2 trigger and closes sign-up', () => {
    const [pool] = dev.resources('AWS::Cognito::UserPool');
    expect(pool?.Properties.LambdaConfig.PreTokenGenerationConfig.LambdaVersion).toBe('V2_0');
    expect(pool?.Properties.UserPoolTier).toBe('ESSENTIALS');
    expect(pool?.Properties.AdminCreateUserConfig.AllowAdminCreateUserOnly).toBe(true);
  });
});

describe('fixed costs', () => {
  it('are at most two keys and ten alarms', () => {
    expect(prod.resources('AWS::KMS::Key').length).toBeLessThanOrEqual(2);
    const alarms = prod.resources('AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeLessThanOrEqual(10);
    const watched = JSON.stringify(alarms);
    for (const metric of [
      'Errors',
      'Throttles',
      'TriggeredRules',
      'artifacts_refused',
      '5xx',
      'ACUUtilization',
    ]) {
      expect(watched).toContain(`"${metric}"`);
    }
  });

  it('watch the functions of the whole account with one metric each', () => {
    const lambda = prod
      .resources('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => Properties.Namespace === 'AWS/Lambda');
    expect(lambda.map(({ Properties }) => Properties.Dimensions)).toEqual([undefined, undefined]);
  });

  it('send alarms where the stage says', () => {
    const alarmed = synthesize({
      stage: 'prod',
      stages: {
        prod: {
          identity: { kind: 'oidc', issuer: 'https://identity.example.com', audience: 'tenantml' },
          alarms: { email: 'ops@example.com', topicArn: 'arn:aws:sns:eu-central-1:123456789012:ops' },
        },
      },
    });
    expect(alarmed.resources('AWS::SNS::Subscription').map(({ Properties }) => Properties.Endpoint)).toEqual([
      'ops@example.com',
    ]);
    for (const { Properties } of alarmed.resources('AWS::CloudWatch::Alarm')) {
      expect(Properties.AlarmActions).toHaveLength(2);
    }
    const [topic] = alarmed.resources('AWS::SNS::Topic');
    expect(JSON.stringify(topic?.Properties.KmsMasterKeyId)).toContain('EncryptionKey');
    // An alarm that may not use the key of its topic is sent nowhere, and nobody is told.
    const [key] = alarmed.resources('AWS::KMS::Key');
    expect(JSON.stringify(key?.Properties.KeyPolicy)).toMatch(
      /kms:GenerateDataKey"\],"Condition":\{"StringEquals":\{"aws:SourceAccount"/,
    );
    const [policy] = alarmed.resources('AWS::SNS::TopicPolicy');
    expect(policy?.Properties.PolicyDocument.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
      }),
    );
  });

  it('do not include anything that is billed by the hour', () => {
    const hourly =
      /^AWS::(ECS|EKS|ElasticLoadBalancing|ElastiCache|OpenSearchService|SageMaker|EC2::Instance|EC2::NatGateway)/;
    expect(prod.resources().filter(({ Type }) => hourly.test(Type))).toEqual([]);
    expect(
      prod.resources('AWS::Lambda::Function').some(({ Properties }) => Properties.ProvisionedConcurrency),
    ).toBe(false);
  });
});

describe('schedules and rules', () => {
  it('run repair every minute, retraining every hour, and retention every day', () => {
    const schedules = prod.resources('AWS::Scheduler::Schedule');
    expect(schedules.map(({ Properties }) => Properties.ScheduleExpression).sort()).toEqual([
      'rate(1 day)',
      'rate(1 hour)',
      'rate(1 minute)',
    ]);
  });

  it('never wake Postgres by themselves', () => {
    for (const { stack, Properties } of prod.resources('AWS::Scheduler::Schedule')) {
      const target = Properties.Target.Arn['Fn::GetAtt'][0] as string;
      expect(prod.templates[stack]?.Resources[target]?.Properties.VpcConfig).toBeUndefined();
    }
  });

  it('close the job of an execution that did not end well', () => {
    const rules = prod.resources('AWS::Events::Rule');
    expect(rules.map(({ Properties }) => Properties.EventPattern.detail.status)).toEqual([
      ['FAILED', 'TIMED_OUT'],
      ['ABORTED'],
    ]);
    for (const { Properties } of rules) {
      expect(Properties.EventBusName).toBeUndefined();
      expect(Properties.EventPattern).toMatchObject({
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
      });
      expect(Properties.EventPattern.detail.stateMachineArn).toHaveLength(4);
      expect(Properties.Targets[0].DeadLetterConfig).toBeDefined();
    }
    // What somebody has stopped has not failed: the alarm counts the first rule alone.
    const [alarm] = prod
      .resources('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => Properties.MetricName === 'TriggeredRules');
    expect(JSON.stringify(alarm?.Properties.Dimensions)).toContain(rules[0]!.logicalId);
  });
});

describe('outputs', () => {
  it('name what clients and operators need', () => {
    const names = Object.values(prod.templates).flatMap(({ Outputs }) => Object.keys(Outputs ?? {}));
    for (const name of [
      'ApiUrl',
      'ArtifactBucketName',
      'StagingBucketName',
      'TrainingStateMachineArn',
      'IngestStateMachineArn',
      'ResultBucketName',
      'PredictionBucketName',
      'BatchStateMachineArn',
    ]) {
      expect(names).toContain(name);
    }
  });
});
