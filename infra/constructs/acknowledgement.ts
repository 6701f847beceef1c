import { type IResource, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Acknowledges a cdk-nag rule on a construct and all below it. The reason is part of the design: it says why the rule
 * does not apply, not that it was in the way.
 */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}

/** Why roles have inline policies. */
export const ONE_ROLE_ONE_POLICY =
  'A policy that is written into its one role goes with it, and cannot be attached to another by mistake; no policy here is shared.';

/**
 * Acknowledges one wildcard resource of a policy, in which `value` (a token of `owner`) stands between two texts
 * of the grantee's stack.
 *
 * cdk-nag names a wildcard finding by the flattened CloudFormation expression, which is a GetAtt within a stack and an
 * export's name across stacks.
 */
export function acknowledgeResourceWildcard(
  grantee: IConstruct,
  owner: IResource,
  finding: { readonly prefix?: string; readonly value: string; readonly suffix: string },
  reason: string,
): void {
  const consumer = Stack.of(grantee);
  const { prefix = '', value, suffix } = finding;
  const flat = (token: string) => flatten(consumer.resolve(token));
  const named = flat(consumer === owner.stack ? value : owner.stack.exportValue(value));
  acknowledge(grantee, `AwsSolutions-IAM5[Resource::${flat(prefix)}${named}${flatten(suffix)}]`, reason);
}

/** @returns a resolved expression as cdk-nag names it */
export function flatten(expression: unknown): string {
  // It takes a variable of the policy for one of CloudFormation's.
  if (typeof expression === 'string') return expression.replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  const [[name, argument]] = Object.entries(expression as Record<string, unknown>) as [[string, unknown]];
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (name === 'Fn::ImportValue') return argument as string;
  if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(flatten).join('');
  if (name === 'Ref') return `<${argument as string}>`;
  throw new Error(`cannot flatten ${name}`);
}
