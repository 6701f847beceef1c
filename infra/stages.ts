import type { StageDefinition } from './stage.ts';

/** Nobody's issuer: CloudFormation refuses to deploy with it, so that no API goes live that no token can enter. */
export const placeholderIssuer = 'https://identity.example.com';

/**
 * The deployments of this platform: the one file that operators edit. Every setting and its default is described in
 * `stage.ts` and docs/deploying.md; choose a stage with `npx cdk deploy --all -c stage=<name>`.
 */
export const stages = {
  /** A sandbox that brings its own Cognito user pool and leaves nothing behind. */
  dev: {
    identity: { kind: 'cognito' },
    logRetentionDays: 14,
    removal: 'destroy',
  },
  /** Replace issuer and audience by those of your identity provider before the first deployment. */
  prod: {
    identity: { kind: 'oidc', issuer: placeholderIssuer, audience: 'tenantml' },
    removal: 'retain',
  },
  /** What the local twin runs. Its issuer is overridden by the twin through the parameter `OidcIssuer`. */
  local: {
    identity: { kind: 'oidc', issuer: 'http://127.0.0.1:5000/_twin/identity', audience: 'tenantml' },
    removal: 'destroy',
  },
} satisfies Record<string, StageDefinition>;
