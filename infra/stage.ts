import { z } from 'zod';

/** Retention times that CloudWatch Logs accepts, up to two years. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;
/** What an AWS account may give one function. New accounts start at 3,008 MiB. */
const LAMBDA_MAX_MEMORY_MIB = 10_240;

const claimName = z.string().min(1);

/** Where tokens come from. */
export const IdentitySettings = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('oidc'),
    issuer: z
      .url()
      .refine((issuer) => new URL(issuer).protocol === 'https:' || isLoopback(new URL(issuer).hostname), {
        error: 'must be an https URL (http is for loopback addresses only)',
      }),
    audience: z.string().min(1),
    tenantClaim: claimName.default('tenant'),
    roleClaim: claimName.default('role'),
  }),
  // The claims are those that our own trigger adds.
  z.strictObject({ kind: z.literal('cognito') }),
]);
export type IdentitySettings = z.infer<typeof IdentitySettings>;

const TrainerMemory = z
  .strictObject({
    small: z.int().min(512).default(1024),
    medium: z.int().min(512).default(1769),
    large: z.int().min(512).default(3008),
    ceiling: z.int().max(LAMBDA_MAX_MEMORY_MIB).default(3008),
  })
  .refine(({ small, medium, large }) => small <= medium && medium <= large, {
    error: 'must satisfy small <= medium <= large',
  })
  .refine(({ large, ceiling }) => large <= ceiling, {
    path: ['large'],
    error: 'must be <= ceiling; raise ceiling after AWS has raised the account memory quota',
  });

/** What a plan gives each of its tenants; what is left out is unlimited. */
const PlanLimits = z.strictObject({
  requestsPerSecond: z.number().positive().max(100_000).optional(),
  burst: z.int().min(1).max(200_000).optional(),
  /** Function environments that work for one tenant at the same time. */
  concurrency: z.int().min(1).max(100).optional(),
  /** Memory for loaded models in one environment. */
  maxMemoryMiB: z.int().min(16).optional(),
  /** Models in the memory of one environment. */
  maxModels: z.int().min(1).optional(),
});

/** Everything that may differ between two deployments of the platform. */
export const StageSettings = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,15}$/, {
    error: 'must be 1 to 16 lowercase letters, digits or hyphens, beginning with a letter',
  }),
  /** AWS account; without it the account of the deploying credentials. */
  account: z
    .string()
    .regex(/^\d{12}$/, { error: 'must be 12 digits' })
    .optional(),
  /** AWS region; without it the region of the deploying credentials. */
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as eu-central-1' })
    .optional(),
  identity: IdentitySettings,
  trainerMemoryMiB: TrainerMemory.prefault({}),
  trainingTimeoutMinutes: z
    .int()
    .min(5)
    .max(24 * 60)
    .default(30),
  /** Seconds after which a training step leaves a checkpoint and is run again; without it as long as a function may run. */
  trainingSliceSeconds: z.int().min(1).max(870).optional(),
  /** Days after which the results of batch predictions expire. */
  batchResultDays: z.int().min(1).max(365).default(30),
  /** Days after which entries of the prediction log expire. */
  predictionLogDays: z.int().min(1).max(3650).default(90),
  /** Rows of one part of a batch prediction; without it 50,000, and more where that would make more than 500 parts. */
  batchPartRows: z.int().min(1).optional(),
  database: z
    .strictObject({
      /** Aurora capacity units at most; one unit is about 2 GiB. The minimum is always 0. */
      maxAcu: z.number().min(1).max(256).multipleOf(0.5).default(2),
      autoPauseMinutes: z.int().min(5).max(1440).default(5),
      backupRetentionDays: z.int().min(1).max(35).default(7),
    })
    .prefault({}),
  throttle: z
    .strictObject({
      requestsPerSecond: z.int().min(1).default(500),
      burst: z.int().min(1).default(1000),
    })
    .prefault({}),
  /** Of the metric, below which a model counts as degraded; a tenant may have its own. */
  performanceThreshold: z.number().min(0).max(1).default(0.7),
  /** Pieces of feedback that call for a retraining; a tenant may have its own. */
  retrainingFeedbackThreshold: z.int().min(1).default(50),
  /** Limits by the name of a plan; `default` is the plan of tenants that have none, and without it they have no limits. */
  plans: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), PlanLimits).default({}),
  /**
   * What is made of model versions without a signature, which were made before versions were signed: `allow` serves them
   * while they are being replaced. Every new version is signed.
   */
  unsignedModels: z.enum(['refuse', 'allow']).default('refuse'),
  logRetentionDays: z.literal(LOG_RETENTION_DAYS).default(90),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
  /** How long noncurrent artifact versions stay. */
  retentionDays: z.int().min(1).max(3650).default(90),
  /** `retain` keeps (and protects) stateful resources when a stack is deleted. */
  removal: z.enum(['retain', 'destroy']).default('retain'),
  alarms: z
    .strictObject({
      /** An SNS topic that exists already. */
      topicArn: z
        .string()
        .regex(/^arn:[^:]+:sns:[^:]+:\d{12}:.+$/, { error: 'must be the ARN of an SNS topic' })
        .optional(),
      /** An address to which a topic of this stage sends; it must be confirmed by mail once. */
      email: z.email().optional(),
    })
    .prefault({}),
});
export type StageSettings = z.infer<typeof StageSettings>;
/** Settings as they are written in `stages.ts`: what has a default may be left out. */
export type StageDefinition = Omit<z.input<typeof StageSettings>, 'name'>;

/** A stage that is unknown, or one of whose settings breaks its rule. */
export class StageSettingsError extends Error {
  readonly code = 'STAGE_SETTINGS';
  constructor(message: string) {
    super(message);
    this.name = 'StageSettingsError';
  }
}

/** Checks one stage's settings; errors name the setting by its path and the file to edit. */
export function stageSettings(name: string, stages: Readonly<Record<string, unknown>>): StageSettings {
  const definition = Object.hasOwn(stages, name) ? stages[name] : undefined;
  if (definition === undefined) {
    throw new StageSettingsError(
      `stage "${name}" is not defined; infra/stages.ts defines ${Object.keys(stages).join(', ')} (choose one with -c stage=<name>)`,
    );
  }
  const parsed = StageSettings.safeParse({ ...(definition as object), name });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.') || '(stage)'}: ${issue.message}`,
  );
  throw new StageSettingsError(
    `stage "${name}" in infra/stages.ts has invalid settings:\n${lines.join('\n')}`,
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
