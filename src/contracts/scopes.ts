/** What callers may do, and which role may do what. No schema library here: the predict path loads this file. */

export const scopes = [
  'models:read',
  'models:write',
  'models:deploy',
  'predict',
  'data:read',
  'data:write',
  'jobs:read',
  'jobs:write',
  'tenant:read',
  'tenant:admin',
  'audit:read',
] as const;
export type Scope = (typeof scopes)[number];

export const roles = ['viewer', 'data-scientist', 'deployer', 'admin', 'service'] as const;
export type Role = (typeof roles)[number];

const reads: readonly Scope[] = ['models:read', 'data:read', 'jobs:read', 'tenant:read'];

export const roleScopes: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: reads,
  'data-scientist': [...reads, 'predict', 'data:write', 'models:write', 'jobs:write'],
  deployer: [...reads, 'predict', 'models:deploy'],
  admin: scopes,
  // An application that predicts: it sends data and follows its jobs, and does not read what others sent.
  service: ['models:read', 'predict', 'data:write', 'jobs:read', 'jobs:write'],
};

/** Of a token that names no role. */
export const defaultRole: Role = 'viewer';

export const isRole = (text: string): text is Role => Object.hasOwn(roleScopes, text);
