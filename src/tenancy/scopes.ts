import { isRole, type Role, roleScopes, roles, type Scope, scopes } from '../contracts/scopes.ts';
import { MLFrameworkError } from '../errors.ts';

/** The caller is known, and its role or token does not allow the act. */
export class ScopeMissingError extends MLFrameworkError {
  constructor(role: Role, scope: Scope) {
    const isNarrowed = roleScopes[role].includes(scope);
    const holders = roles.filter((one) => roleScopes[one].includes(scope)).join(', ');
    super(
      'SCOPE_MISSING',
      isNarrowed
        ? `this takes the scope ${scope}, which role ${role} has and the scopes of this token leave out; ask with a token that is not narrowed so far`
        : `this takes the scope ${scope}, which role ${role} does not have; ask an admin of your tenant for one that has it: ${holders}`,
      { evidence: { role, scope } },
    );
  }
}

const allOf: Readonly<Record<Role, ReadonlySet<Scope>>> = Object.fromEntries(
  roles.map((role) => [role, new Set(roleScopes[role])]),
) as never;

const known: ReadonlySet<string> = new Set(scopes);
const areas: ReadonlySet<string> = new Set(scopes.map((scope) => scope.split(':')[0]!));

/** Words of a scope claim that speak of this platform, even if it has no such scope. Others, as `openid`, do not. */
const addressed = (claim: string): string[] =>
  claim.split(' ').filter((word) => areas.has(word.split(':')[0]!));

/**
 * What a caller may do: all that its role may, or as much of it as the scopes of the token name. Scopes never widen a
 * role. A claim in which no word is one of the platform's, as an identity provider may send it, narrows nothing.
 * @param claim names with spaces between them (RFC 6749, section 3.3)
 */
export function grantedScopes(role: Role, claim: string | undefined): ReadonlySet<Scope> {
  if (claim === undefined) return allOf[role];
  const words = addressed(claim);
  if (words.length === 0) return allOf[role];
  return new Set(words.filter((word): word is Scope => known.has(word) && allOf[role].has(word as Scope)));
}

/** @returns the role of a claim, `undefined` when there is no such role */
export const roleOf = (claim: unknown): Role | undefined =>
  typeof claim === 'string' && isRole(claim) ? claim : undefined;

/** Whoever acts: a tenant context. */
export interface Caller {
  readonly role: Role;
  may(scope: Scope): boolean;
}

/** @throws {ScopeMissingError} */
export function requireScope(caller: Caller, scope: Scope): void {
  if (!caller.may(scope)) throw new ScopeMissingError(caller.role, scope);
}
