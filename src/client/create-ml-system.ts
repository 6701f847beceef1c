import { z } from 'zod';
import { parseWith } from '../contracts/parse-with.ts';
import { checkPlatform } from './check-platform.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { given } from './given.ts';
import { ApiError } from './http-client.ts';
import { MLSystem, type PlatformWarning } from './ml-system.ts';
import { ModelManager } from './model-manager.ts';
import { Predictor } from './predictor.ts';
import { refusedField } from './refused-field.ts';
import { Trainer } from './trainer.ts';

export interface CheckedConnectionOptions extends ConnectionOptions {
  /** Ask the database of models too, which wakes it where it sleeps. false for what only predicts. @default true */
  readonly checkDatabase?: boolean;
}

export interface MLSystemOptions extends CheckedConnectionOptions {
  /** What loaded models may take. It is a setting of the tenant, and compared with it: a warning says when it does not hold. @default - not compared */
  readonly maxMemoryMb?: number;
  /** The platform predicts on processors only, and a warning says so. @default false */
  readonly enableGpu?: boolean;
}

const own = (what: string, instead: string) =>
  refusedField(`the platform has ${what} of its own, and none is given to it; ${instead}`);

const connectionFields = {
  url: z.string().optional(),
  token: z
    .union([z.string(), z.custom<() => Promise<string>>((value) => typeof value === 'function')])
    .optional(),
  tenantId: z.string().optional(),
  checkDatabase: z.boolean().optional(),
  db: own('a database', 'say where the platform is with url and token'),
  cache: own('caches', "say what is cached in the model's serving settings"),
};

const CheckedConnection = z.strictObject(connectionFields);
const Options = z.strictObject({
  ...connectionFields,
  maxMemoryMb: z.int().min(1).optional(),
  enableGpu: z.boolean().optional(),
});

/**
 * The platform in one object, after it was found to answer, to be healthy, to take the token, to be of the tenant that was
 * named, and to reach its database.
 * @throws {ValidationError} when an option is none
 * @throws {PlatformUnavailableError} whose `check` says what was found wanting
 * @throws {TenantMismatchError}
 */
export async function createMLSystem(options: MLSystemOptions = {}): Promise<MLSystem> {
  parseWith(Options, options, 'options');
  const { maxMemoryMb, enableGpu = false, ...rest } = options;
  const connection = await checked(rest);
  const warnings = [
    ...(enableGpu ? [gpuUnavailable] : []),
    ...(maxMemoryMb === undefined ? [] : await memoryWarnings(connection, maxMemoryMb)),
  ];
  for (const { code, message } of warnings) process.emitWarning(message, { type: 'TenantMLWarning', code });
  return new MLSystem(connection, warnings);
}

/** As `createMLSystem`, for models and their lives alone. */
export const createModelManager = async (options: CheckedConnectionOptions = {}): Promise<ModelManager> =>
  new ModelManager(await checkedStrictly(options));

/** As `createMLSystem`, for training alone. */
export const createTrainer = async (options: CheckedConnectionOptions = {}): Promise<Trainer> =>
  new Trainer(await checkedStrictly(options));

/** As `createMLSystem`, for predictions alone. */
export const createPredictor = async (options: CheckedConnectionOptions = {}): Promise<Predictor> =>
  new Predictor(await checkedStrictly(options));

async function checkedStrictly(options: CheckedConnectionOptions): Promise<Connection> {
  parseWith(CheckedConnection, options, 'options');
  return checked(options);
}

async function checked({ checkDatabase, ...options }: CheckedConnectionOptions): Promise<Connection> {
  const connection = new Connection(options);
  await checkPlatform(connection, given({ checkDatabase }));
  return connection;
}

const gpuUnavailable: PlatformWarning = {
  code: 'GPU_UNAVAILABLE',
  message: 'enableGpu has no effect: the platform predicts on processors, and has no GPU',
};

/** Whether the tenant's own bound is at least as low as what was asked for. */
async function memoryWarnings({ client }: Connection, maxMemoryMb: number): Promise<PlatformWarning[]> {
  const holds = await client.call('getSettings', {}).then(
    ({ limits }) => limits.max_memory_mb,
    (error: unknown) => {
      if (error instanceof ApiError && error.code === 'SCOPE_MISSING') return 'hidden' as const;
      throw error;
    },
  );
  if (holds !== 'hidden' && holds !== undefined && holds <= maxMemoryMb) return [];
  const what =
    holds === 'hidden'
      ? 'is not known to this token, which lacks tenant:read'
      : `is ${holds === undefined ? "the platform's own" : `${holds} MB`}`;
  return [
    {
      code: 'MEMORY_LIMIT_NOT_SET',
      message: `maxMemoryMb=${maxMemoryMb} has no effect: the bound of the tenant ${what}; an admin sets it with limits.max_memory_mb of the settings`,
    },
  ];
}
