import { z } from 'zod';
import { KeyId, Subject, Timestamp } from './names.ts';
import { roles, scopes } from './scopes.ts';

const RoleName = z.enum(roles);
const ScopeName = z.enum(scopes);

const Label = z
  .string()
  .regex(/^[^\p{C}]{1,64}$/u, 'must be 1 to 64 characters without control characters')
  .describe('For people: what the key is for');

export const ApiKeyRequest = z
  .strictObject({
    name: Label,
    role: RoleName.optional().describe('All that the role may do'),
    scopes: z.array(ScopeName).min(1).max(scopes.length).optional().describe('Exactly these'),
    expires_in_days: z
      .int()
      .min(1)
      .max(3_650)
      .optional()
      .describe('The key works until it is revoked when left out'),
  })
  .refine(({ role, scopes: list }) => (role === undefined) !== (list === undefined), {
    error: 'must give either role or scopes',
    path: ['role'],
  })
  .meta({ id: 'ApiKeyRequest' });
export type ApiKeyRequest = z.infer<typeof ApiKeyRequest>;

const keyFields = {
  key_id: KeyId,
  name: z.string(),
  prefix: z.string().describe('How the key begins, to know it again'),
  scopes: z.array(ScopeName),
  role: RoleName.optional().describe('Where the key was made for a role'),
  created_by: z.string(),
  created_at: Timestamp,
  expires_at: Timestamp.optional(),
};

export const ApiKey = z.object(keyFields).meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof ApiKey>;

export const ApiKeyCreated = z
  .object({ ...keyFields, api_key: z.string().describe('Shown this once, and stored nowhere') })
  .meta({ id: 'ApiKeyCreated' });
export type ApiKeyCreated = z.infer<typeof ApiKeyCreated>;

export const ApiKeyList = z.object({ items: z.array(ApiKey) }).meta({ id: 'ApiKeyList' });

export const ApiKeyRevoked = z
  .object({ key_id: KeyId, status: z.literal('revoked') })
  .meta({ id: 'ApiKeyRevoked' });

export const MemberRequest = z.strictObject({ role: RoleName }).meta({ id: 'MemberRequest' });

export const Member = z
  .object({ subject: Subject, role: RoleName, changed_by: z.string(), changed_at: Timestamp })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

export const MemberList = z
  .object({ items: z.array(Member), next_cursor: z.string().optional() })
  .meta({ id: 'MemberList' });

export const MemberRemoved = z
  .object({ subject: Subject, status: z.literal('removed') })
  .meta({ id: 'MemberRemoved' });

/** What a tenant may use; what is absent is unlimited. */
export const Limits = z
  .strictObject({
    requests_per_second: z.number().positive().max(100_000).optional(),
    burst: z.int().min(1).max(200_000).optional().describe('Calls at once after a quiet time'),
    concurrency: z.int().min(1).max(100).optional().describe('Function environments at the same time'),
    max_memory_mb: z.int().min(16).max(10_240).optional().describe('For loaded models, in one environment'),
    max_models: z.int().min(1).max(10_000).optional().describe('Loaded at a time, in one environment'),
  })
  .meta({ id: 'Limits' });
export type Limits = z.infer<typeof Limits>;
export type LimitName = keyof Limits;

const LogFeatures = z.enum(['keep', 'hash', 'drop']);

/** How many days things are kept. */
export const Retention = z
  .strictObject({
    prediction_log_days: z.int().min(1).max(3_650).optional(),
    job_days: z.int().min(1).max(3_650).optional(),
  })
  .meta({ id: 'Retention' });
export type Retention = z.infer<typeof Retention>;

/** What a tenant says of itself; what it leaves out is the platform's default. */
export const OwnSettings = z.strictObject({
  limits: Limits.optional().describe('Lower than what is agreed with the operator; never higher'),
  performance_threshold: z.number().min(0).max(1).optional(),
  retraining_feedback_threshold: z.int().min(1).max(1_000_000).optional(),
  training_timeout_minutes: z.int().min(1).max(1_440).optional().describe('Shorter than the platform gives'),
  retention: Retention.optional().describe('Shorter than the platform keeps things; never longer'),
  log_features: LogFeatures.optional().describe('For models whose own serving settings say nothing of it'),
});
export type OwnSettings = z.infer<typeof OwnSettings>;

export const SettingsRequest = OwnSettings.extend({
  revision: z.int().min(0).describe('That of the settings which these replace'),
}).meta({ id: 'SettingsRequest' });
export type SettingsRequest = z.infer<typeof SettingsRequest>;

export const SettingsView = z
  .object({
    revision: z.int().describe('Rises by one with every change'),
    plan: z.string(),
    agreed: Limits.describe('With the operator of the platform, who alone can raise it'),
    limits: Limits.describe('What holds: the lower of what is agreed and what the tenant wants'),
    performance_threshold: z.number().describe('Of the metric below which a model counts as degraded'),
    retraining_feedback_threshold: z.int().describe('Pieces of feedback that call for a retraining'),
    training_timeout_minutes: z.int().describe('How long one training may take'),
    retention: Retention.required(),
    log_features: LogFeatures,
    own: OwnSettings.describe('What the tenant has set; the rest is default'),
    changed_by: z.string().optional(),
    changed_at: Timestamp.optional(),
  })
  .meta({ id: 'Settings' });
export type SettingsView = z.infer<typeof SettingsView>;
