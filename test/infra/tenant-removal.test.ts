import { describe, expect, it } from 'vitest';
import { identityStatements, platformFunctions, synthesize } from './support/synthesized-app.ts';

const app = synthesize({ stage: 'prod' });
const functions = platformFunctions(app);
const variables = functions.get('tenants')!.Properties.Environment.Variables;

describe('the function that removes tenants', () => {
  it('is given every table of every stack, with its keys', () => {
    const text = JSON.stringify(variables.TENANT_TABLES);
    const tables = app.resources('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable');
    expect(tables.length).toBeGreaterThan(5);
    for (const { logicalId, Properties } of tables) {
      expect(text, `${logicalId} is forgotten`).toContain(logicalId);
      const keys = Properties.KeySchema.map(({ AttributeName }: { AttributeName: string }) => AttributeName);
      const [, described = ''] = text.split(logicalId);
      for (const key of keys) expect(described.slice(0, 200)).toContain(key);
    }
  });

  it('begins with who may act', () => {
    const text = JSON.stringify(variables.TENANT_TABLES);
    const order = app
      .resources('AWS::DynamoDB::Table')
      .map(({ logicalId }) => [text.indexOf(logicalId), logicalId] as const)
      .sort(([a], [b]) => a - b);
    expect(order[0]![1]).toMatch(/^AccessTable/);
  });

  it('is given every bucket of every stack', () => {
    const text = JSON.stringify(variables.TENANT_BUCKETS);
    const buckets = app.resources('AWS::S3::Bucket');
    expect(buckets.length).toBeGreaterThan(3);
    for (const { logicalId } of buckets) expect(text, `${logicalId} is forgotten`).toContain(logicalId);
  });

  it('alone may delete versions, and any item of any tenant', () => {
    const statements = identityStatements(app);
    const owners = (action: string, withoutKey = false) => [
      ...new Set(
        statements
          .filter(
            ({ actions, condition }) => actions.includes(action) && !(withoutKey && condition !== undefined),
          )
          .map(({ owner }) => owner.replace(/RoleDefaultPolicy.*/, '')),
      ),
    ];
    expect(owners('s3:DeleteObjectVersion')).toEqual(['api/Tenants']);
    expect(owners('s3:ListBucketVersions')).toEqual(['api/Tenants']);
    expect(owners('dynamodb:DeleteItem', true)).toEqual(['api/Tenants']);
  });

  it('is invoked by no one of the platform, and is the only one that invokes the function beside Postgres', () => {
    const callers = (name: string) =>
      identityStatements(app)
        .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
        .filter(({ resources }) => JSON.stringify(resources).includes(name))
        .map(({ owner }) => owner.replace(/RoleDefaultPolicy.*/, ''));
    expect(callers('"TenantsFunction')).toEqual([]);
    expect(callers('"TenantRowsFunction')).toEqual(['api/Tenants']);
    const permissions = app
      .resources('AWS::Lambda::Permission')
      .filter(({ Properties }) => /"Tenant(s|Rows)Function/.test(JSON.stringify(Properties.FunctionName)));
    expect(permissions).toEqual([]);
  });

  it('waits as long as the gateway believes, then as long as the longest call', () => {
    const [authorizer] = app.resources('AWS::ApiGatewayV2::Authorizer');
    const longest = Math.max(
      ...[...functions.values()].map(({ Properties }) => Properties.Timeout as number),
    );
    expect(variables.OFFBOARDING_WAITS_SECONDS).toBe(
      `0,${authorizer!.Properties.AuthorizerResultTtlInSeconds},${longest}`,
    );
  });

  it('is found by its name', () => {
    expect(functions.get('tenants')!.Properties.FunctionName).toBe('tenantml-prod-tenants');
  });
});
