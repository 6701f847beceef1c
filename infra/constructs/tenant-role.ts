// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of IAM policies are written so
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge, ONE_ROLE_ONE_POLICY } from './acknowledgement.ts';

/** What a policy writes for the tenant of the session that asks; without the tag it matches nothing. */
export const SESSION_TENANT = '${aws:PrincipalTag/tenant}';

/**
 * Shapes that no tenant id has, of the characters that a tag value may hold. IAM has no patterns: what it cannot say
 * (lower case only, 63 at most) the tenant context does, the only maker of sessions.
 */
const NO_TENANT_ID = ['-*', '*-', '*--*', '* *', ...[...'_.:/=+@'].map((character) => `*${character}*`)];

export interface TenantRoleProps {
  /** The role of the function that opens the sessions. */
  readonly executionRole: iam.Role;
  readonly description: string;
}

/**
 * The role by which one function touches tenants' data. It is assumed for one tenant at a time: a session bears the
 * tag `tenant`, and the grants of this role name objects, keys and endpoints by that tag.
 */
export class TenantRole extends Construct {
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, { executionRole, description }: TenantRoleProps) {
    super(scope, id);
    this.role = new iam.Role(this, 'Role', {
      description,
      assumedBy: new iam.ArnPrincipal(executionRole.roleArn)
        .withConditions({
          // Without the tag a session could do nothing, and would not say why.
          Null: { 'aws:RequestTag/tenant': 'false' },
          StringLike: { 'aws:RequestTag/tenant': '??*' },
          StringNotLike: { 'aws:RequestTag/tenant': NO_TENANT_ID },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['tenant'] },
        })
        .withSessionTags(),
    });
    acknowledge(this.role, 'NIST.800.53.R5-IAMNoInlinePolicy', ONE_ROLE_ONE_POLICY);
    executionRole.addToPolicy(
      new iam.PolicyStatement({
        actions: ['sts:AssumeRole', 'sts:TagSession'],
        resources: [this.role.roleArn],
      }),
    );
  }
}
