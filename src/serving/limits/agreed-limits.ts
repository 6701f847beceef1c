import type { Limits } from '../../contracts/tenant.ts';
import { defaultPlan, limitsOf, type Plans } from './tenant-limits.ts';

/** @returns the plan that counts for a tenant with this one, and its limits by their names on the wire */
export function agreedLimits(plans: Plans, plan: string | undefined): { plan: string; limits: Limits } {
  const { requestsPerSecond, burst, concurrency, maxMemoryMiB, maxModels } = limitsOf(
    plans,
    plan === undefined ? undefined : { plan },
  );
  const limits = {
    requests_per_second: requestsPerSecond,
    ...{ burst, concurrency },
    max_memory_mb: maxMemoryMiB,
    max_models: maxModels,
  };
  return {
    plan: plan !== undefined && Object.hasOwn(plans, plan) ? plan : defaultPlan,
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
  };
}
