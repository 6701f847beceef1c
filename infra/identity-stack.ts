import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledgement.ts';
import { type PlatformContext, PlatformFunction } from './constructs/platform-function.ts';
import type { DataStack } from './data-stack.ts';
import type { TokenRules } from './token-rules.ts';

export interface IdentityStackProps extends StackProps {
  readonly platform: PlatformContext;
  readonly data: DataStack;
}

/**
 * A Cognito user pool for stages that bring no identity provider. A user's tenant and role are in the access table,
 * which only administrators write; the trigger puts them into the access token.
 */
export class IdentityStack extends Stack {
  readonly tokenRules: TokenRules;

  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    super(scope, id, props);
    const { settings } = props.platform;
    const { accessTable } = props.data;

    const preToken = new PlatformFunction(this, 'PreToken', {
      platform: { ...props.platform, logKey: props.data.encryptionKey },
      code: 'pre-token',
      description: 'Puts tenant and role into access tokens',
      memoryMiB: 256,
      timeoutSeconds: 5,
      environment: { ACCESS_TABLE: accessTable.tableName },
    });
    accessTable.grantItems(preToken.role, ['member/*'], ['GetItem']);

    const pool = new cognito.UserPool(this, 'UserPool', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      accountRecovery: cognito.AccountRecovery.EMAIL_ONLY,
      featurePlan: cognito.FeaturePlan.ESSENTIALS,
      mfa: cognito.Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
      },
      deletionProtection: settings.removal === 'retain',
      removalPolicy: settings.removal === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    pool.addTrigger(
      cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      preToken.function,
      cognito.LambdaVersion.V2_0,
    );
    acknowledge(
      pool,
      'AwsSolutions-COG2',
      'Users may turn on a one-time code; forcing it would shut out the machine users of a sandbox. Production stages bring their own provider.',
    );
    acknowledge(
      pool,
      'AwsSolutions-COG8',
      'Threat protection is billed per user; the Essentials plan is the one that can change access tokens.',
    );
    const client = pool.addClient('Client', {
      authFlows: { userSrp: true },
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      disableOAuth: true,
    });

    this.tokenRules = {
      issuer: `https://cognito-idp.${this.region}.amazonaws.com/${pool.userPoolId}`,
      audience: client.userPoolClientId,
      tenantClaim: 'tenant',
      roleClaim: 'role',
    };
    new CfnOutput(this, 'UserPoolId', { value: pool.userPoolId });
    new CfnOutput(this, 'UserPoolClientId', { value: client.userPoolClientId });
  }
}
