/** Makes the sessions by which a function touches tenants' data. No SDK: the predict path loads this file. */
import { StsSessions } from '../adapters/aws/sts-sessions.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';
import { KeptSessions, type TenantSessions } from '../tenancy/credentials.ts';

let kept: KeptSessions | undefined;

function keptSessions(): KeptSessions {
  if (kept === undefined) {
    const { region, tenantRoleArn: roleArn } = config;
    const sts = new StsSessions({ region, roleArn, endpoint: config.endpoint('STS') });
    kept = new KeptSessions((tenant) => sts.open(tenant), systemClock);
  }
  return kept;
}

/** One keeper for all stores of a process; a function without a tenant role has no use for it and never makes it. */
export const tenantSessions: TenantSessions = {
  of: (tenant, leftMs) => keptSessions().of(tenant, leftMs),
};
