import { CfnParameter, CfnRule, Fn, type Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { type FunctionContext, PlatformFunction } from './constructs/platform-function.ts';
import type { DataStack } from './data-stack.ts';
import type { IdentityStack } from './identity-stack.ts';
import { placeholderIssuer } from './stages.ts';
import type { TokenRules } from './token-rules.ts';

export interface AuthorizerFunctionProps {
  readonly platform: FunctionContext;
  readonly data: DataStack;
  /** Present when the stage's identity is Cognito. */
  readonly identity?: IdentityStack;
}

function tokenRules(stack: Stack, { platform, identity }: AuthorizerFunctionProps): TokenRules {
  const settings = platform.settings.identity;
  if (settings.kind === 'cognito') {
    if (!identity) throw new Error('identity cognito needs the identity stack');
    return identity.tokenRules;
  }
  const issuer = new CfnParameter(stack, 'OidcIssuer', {
    type: 'String',
    default: settings.issuer,
    description: 'Issuer of the tokens that the API accepts',
  });
  new CfnRule(stack, 'OidcIssuerIsSet', {
    assertions: [
      {
        assert: Fn.conditionNot(Fn.conditionEquals(issuer.valueAsString, placeholderIssuer)),
        assertDescription:
          'infra/stages.ts still names the placeholder issuer; set identity.issuer to your own',
      },
    ],
  });
  return { ...settings, issuer: issuer.valueAsString };
}

/** The function that turns a token or an API key into a tenant. */
export function authorizerFunction(stack: Stack, props: AuthorizerFunctionProps): lambda.Function {
  const { accessTable } = props.data;
  const rules = tokenRules(stack, props);
  const { function: authorizer, role } = new PlatformFunction(stack, 'Authorizer', {
    platform: props.platform,
    code: 'authorizer',
    description: 'Turns a token or an API key into a tenant',
    memoryMiB: 512,
    timeoutSeconds: 5,
    environment: {
      OIDC_ISSUER: rules.issuer,
      OIDC_AUDIENCE: rules.audience,
      OIDC_TENANT_CLAIM: rules.tenantClaim,
      OIDC_ROLE_CLAIM: rules.roleClaim,
      ACCESS_TABLE: accessTable.tableName,
    },
  });
  accessTable.grantItems(role, ['api-key/*', 'offboarded/*'], ['GetItem']);
  return authorizer;
}
