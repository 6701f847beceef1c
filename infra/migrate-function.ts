import { Duration, type Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as triggers from 'aws-cdk-lib/triggers';
import { type FunctionContext, PlatformFunction } from './constructs/platform-function.ts';
import type { DataStack } from './data-stack.ts';

/**
 * Migrates the schema, and publishes the key by which versions are verified, at each deployment that changes this
 * function. @param before what is not to run before that
 */
export function migrateBefore(
  stack: Stack,
  before: lambda.Function[],
  { platform, data }: { readonly platform: FunctionContext; readonly data: DataStack },
): void {
  const { servingTable, database, signingKey, network } = data;
  const { function: migrate, role } = new PlatformFunction(stack, 'Migrate', {
    platform,
    code: 'migrate',
    description: 'Migrates the schema at each deployment that changes it',
    memoryMiB: 512,
    timeoutSeconds: 300,
    network,
    environment: {
      ...database.environment('tenantml_migrator'),
      SERVING_TABLE: servingTable.tableName,
      SIGNING_KEY_ID: signingKey.keyId,
      // The dual-stack name: the network has no IPv4 way out.
      AWS_ENDPOINT_URL_KMS: `https://kms.${stack.region}.api.aws`,
    },
  });
  database.grantConnect(role, 'tenantml_migrator');
  servingTable.grantItems(role, ['platform/*'], ['PutItem']);
  signingKey.grant(role, 'kms:GetPublicKey');
  new triggers.Trigger(stack, 'MigrateTrigger', {
    handler: migrate,
    timeout: Duration.minutes(5),
    executeBefore: before,
  });
}
