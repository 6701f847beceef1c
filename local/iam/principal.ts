import { ACCOUNT_ID, PARTITION } from '../aws/account.ts';

/** Who asks: a session of a role, or a service of AWS acting for itself. */
export type Principal = RoleSession | ServicePrincipal;

export interface RoleSession {
  readonly type: 'role';
  readonly roleName: string;
  readonly sessionName: string;
  /** Session tags: what policies read as `aws:PrincipalTag/<key>`. @default - none */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ServicePrincipal {
  readonly type: 'service';
  /** For example `apigateway.amazonaws.com`. */
  readonly service: string;
}

export function roleSession(roleName: string, sessionName: string): RoleSession {
  return { type: 'role', roleName, sessionName: sessionName.slice(0, 64) };
}

export function servicePrincipal(service: string): ServicePrincipal {
  return { type: 'service', service: `${service}.amazonaws.com` };
}

/** The ARN by which policies and error messages know the caller. */
export function principalArn(principal: Principal): string {
  return principal.type === 'service'
    ? principal.service
    : `arn:${PARTITION}:sts::${ACCOUNT_ID}:assumed-role/${principal.roleName}/${principal.sessionName}`;
}

/** `arn:aws:iam::000000000000:role/path/name` → `name` */
export function roleNameOf(roleArnOrName: string): string {
  return roleArnOrName.slice(roleArnOrName.lastIndexOf('/') + 1);
}
