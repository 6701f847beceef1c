/** What the authorizer needs to know of the identity provider. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  /** The claims that name a caller's tenant and role. */
  readonly tenantClaim: string;
  readonly roleClaim: string;
}
