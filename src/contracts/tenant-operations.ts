import { z } from 'zod';
import { Subject, TenantId } from './names.ts';
import { Limits } from './tenant.ts';

const Agreement = {
  plan: z
    .string()
    .min(1)
    .max(32)
    .optional()
    .describe('A name in the plans of the stage; the default plan when left out'),
  limits: Limits.optional().describe('Agreed beside the plan'),
};

/**
 * What operators of the platform do with tenants. It comes by `lambda:InvokeFunction`, which IAM gives to operators: the
 * one place where a tenant is named by a request.
 */
export const TenantOperation = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('create'),
    tenant: TenantId,
    ...Agreement,
    admin: z
      .union([
        z.strictObject({ subject: Subject.describe("The `sub` of a user of the deployment's pool") }),
        z.strictObject({
          api_key: z.string().min(1).max(64).describe('Name of a key with role admin, shown once'),
        }),
      ])
      .optional()
      .describe('None where your identity provider says who is admin'),
  }),
  z.strictObject({ action: z.literal('agree'), tenant: TenantId, ...Agreement }),
  z.strictObject({ action: z.literal('offboard'), tenant: TenantId }),
]);
export type TenantOperation = z.infer<typeof TenantOperation>;
