import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT_ID, arn, functionNameOf, iamArn } from '../aws/account.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { TwinError } from '../errors.ts';
import type { PolicySet } from './policies.ts';
import type { PolicyDocument } from './policy-document.ts';
import { type Principal, principalArn, type RoleSession } from './principal.ts';

export interface AuthorizationRequest {
  readonly principal: Principal;
  /** For example `s3:GetObject`. */
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the service, e.g. `dynamodb:LeadingKeys`. */
  readonly context?: Readonly<Record<string, string | string[]>>;
}

export type Decision = 'Allowed' | 'ImplicitlyDenied' | 'ExplicitlyDenied';

/** Old decisions are dropped in order of arrival; a decision costs about a millisecond to make again. */
const MAX_REMEMBERED = 50_000;

/** Decides every call to the local servers by the synthesized policies: the one place that says yes. */
export class Authorizer {
  readonly #policies: PolicySet;
  readonly #decisions = new Map<string, Promise<Decision>>();

  constructor(policies: PolicySet) {
    this.#policies = policies;
  }

  authorize(request: AuthorizationRequest): Promise<Decision> {
    const { principal } = request;
    const id = JSON.stringify([
      principalArn(principal),
      // Two sessions may have one name, and tags of their own.
      principal.type === 'role' ? principal.tags : undefined,
      request.action,
      request.resource,
      request.context,
    ]);
    let decision = this.#decisions.get(id);
    if (decision === undefined) {
      if (this.#decisions.size >= MAX_REMEMBERED) {
        this.#decisions.delete(this.#decisions.keys().next().value as string);
      }
      decision = this.#decide(request);
      this.#decisions.set(id, decision);
    }
    return decision;
  }

  /** Throws what the service would answer: `AccessDenied` for S3 and STS, `AccessDeniedException` elsewhere. */
  async require(request: AuthorizationRequest): Promise<void> {
    const decision = await this.authorize(request);
    if (decision === 'Allowed') {
      return;
    }
    const answersXml = /^(s3|sts):/.test(request.action);
    const why =
      decision === 'ExplicitlyDenied'
        ? 'with an explicit deny'
        : 'because no identity-based policy allows the action';
    throw new AwsServiceError(
      answersXml ? 'AccessDenied' : 'AccessDeniedException',
      `User: ${principalArn(request.principal)} is not authorized to perform: ${request.action} on resource: ${request.resource} ${why}`,
      answersXml ? 403 : 400,
    );
  }

  async #decide(request: AuthorizationRequest): Promise<Decision> {
    const { principal } = request;
    const resourcePolicy = this.#resourcePolicy(request.resource);
    // A role that trusts nobody, or is none: the simulator would let the caller's own policies decide.
    if (request.action.startsWith('sts:') && resourcePolicy === undefined) return 'ImplicitlyDenied';
    const result = await runSimulation(
      {
        identityPolicies:
          principal.type === 'role' ? [...(this.#policies.identity.get(principal.roleName) ?? [])] : [],
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
        request: {
          action: request.action,
          principal: principalArn(principal),
          // The simulator reads `*` and `?` in a resource as a pattern to be matched by policies, so that a key
          // holding one could be allowed by a policy that covers it only in part. Escaped they are plain letters.
          resource: { resource: escapeWildcards(request.resource), accountId: ACCOUNT_ID },
          contextVariables: {
            // The local servers speak plain HTTP on loopback, where nothing can listen in. Policies that ask for
            // TLS are about the network; they count as met here, and as written on AWS.
            'aws:SecureTransport': 'true',
            ...(principal.type === 'role'
              ? {
                  'aws:PrincipalArn': iamArn(`role/${principal.roleName}`),
                  'aws:PrincipalAccount': ACCOUNT_ID,
                  ...principalTags(principal),
                }
              : { 'aws:PrincipalIsAWSService': 'true' }),
            ...request.context,
          },
        },
      },
      {},
    );
    if (result.resultType === 'error') {
      throw new TwinError(
        'POLICY_NOT_EVALUATED',
        `cannot evaluate ${request.action} on ${request.resource}: ${JSON.stringify(result.errors)}`,
      );
    }
    return result.overallResult;
  }

  #resourcePolicy(resource: string): PolicyDocument | undefined {
    if (resource.startsWith('arn:aws:s3:::')) {
      const slash = resource.indexOf('/');
      return this.#policies.resource.get(slash < 0 ? resource : resource.slice(0, slash));
    }
    if (resource.startsWith('arn:aws:kms:')) return this.#policies.resource.get(resource);
    if (resource.startsWith('arn:aws:iam:')) return this.#policies.resource.get(resource);
    if (resource.startsWith('arn:aws:lambda:')) {
      return this.#policies.resource.get(arn('lambda', `function:${functionNameOf(resource)}`));
    }
    return undefined;
  }
}

const principalTags = ({ tags = {} }: RoleSession): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]));

function escapeWildcards(resource: string): string {
  return resource === '*' ? resource : resource.replaceAll('*', '%2A').replaceAll('?', '%3F');
}
