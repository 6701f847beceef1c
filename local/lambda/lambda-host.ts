import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { functionNameOf } from '../aws/account.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { TwinError } from '../errors.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import { roleSession } from '../iam/principal.ts';
import { EnvironmentPool } from './environment-pool.ts';
import { type FunctionConfiguration, processEnvironment } from './function-configuration.ts';
import { type InvocationResult, MAX_PAYLOAD_BYTES } from './invocation.ts';

export interface LambdaHostOptions {
  readonly functions: readonly FunctionConfiguration[];
  readonly registry: CredentialRegistry;
  readonly endpoints: Readonly<Record<string, string>>;
  /** Folder of modules that stand in for layers. */
  readonly nodePath: string;
  readonly dataDirectory: string;
  /** Environments per function when it reserves no concurrency. */
  readonly concurrency?: number;
  readonly idleMs?: number;
  /** Delays before the retries of an asynchronous call. */
  readonly asyncRetryDelaysMs?: readonly number[];
  /** Told of what keeps a function from being started, once. */
  onFailure?(error: unknown): void;
}

export interface InvokeOptions {
  /** Whom the call is for: has to be there for functions that isolate their tenants, and for no other. */
  readonly tenantId?: string;
}

const DEFAULT_CONCURRENCY = 10;
const DEFAULT_IDLE_MS = 5 * 60 * 1000;
/** Lambda retries a failed asynchronous call after one and two minutes. */
const ASYNC_RETRY_DELAYS_MS = [60_000, 120_000];

const BOOTSTRAP = join(import.meta.dirname, 'runtime-bootstrap.cjs');

/** Runs the functions of the template as processes of their own. */
export class LambdaHost {
  readonly #options: LambdaHostOptions;
  readonly #functions: Map<string, FunctionConfiguration>;
  /** Per function; of one that isolates its tenants, per function and tenant. */
  readonly #pools = new Map<string, EnvironmentPool>();
  readonly #logDirectory: string;
  readonly #scratch: string;
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Start failures that were reported already: every call finds the same one. */
  readonly #reported = new Set<string>();

  constructor(options: LambdaHostOptions) {
    this.#options = options;
    this.#functions = new Map(options.functions.map((config) => [config.name, config]));
    this.#logDirectory = join(options.dataDirectory, 'logs');
    this.#scratch = join(options.dataDirectory, 'tmp');
    mkdirSync(this.#logDirectory, { recursive: true });
    rmSync(this.#scratch, { recursive: true, force: true });
    mkdirSync(this.#scratch, { recursive: true });
  }

  /** By name or ARN, with or without qualifier. */
  find(reference: string): FunctionConfiguration {
    const config = this.#functions.get(functionNameOf(reference));
    if (config === undefined) {
      throw new AwsServiceError('ResourceNotFoundException', `Function not found: ${reference}`, 404);
    }
    return config;
  }

  /** Calls a function and waits for its answer. */
  invoke(reference: string, payload: Buffer, { tenantId }: InvokeOptions = {}): Promise<InvocationResult> {
    const config = this.find(reference);
    requireTenant(config, tenantId);
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new AwsServiceError(
        'RequestTooLargeException',
        `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
        413,
      );
    }
    return new Promise((resolve) => {
      this.#poolOf(config, tenantId).submit({
        requestId: randomUUID(),
        ...{ payload, tenantId },
        // Not sampled: the tracer makes its context and sends nothing.
        traceId: `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`,
        resolve,
      });
    });
  }

  /** Calls a function in the background, with Lambda's retries. Waiting retries do not survive the twin. */
  invokeAsync(reference: string, payload: Buffer, options: InvokeOptions = {}, attempt = 0): void {
    const config = this.find(reference);
    void this.invoke(reference, payload, options).then((result) => {
      const delays = this.#options.asyncRetryDelaysMs ?? ASYNC_RETRY_DELAYS_MS;
      if (result.ok) {
        return;
      }
      const delayMs = attempt < config.maximumRetryAttempts ? delays[attempt] : undefined;
      if (delayMs === undefined) {
        const message = 'asynchronous invocation given up';
        this.#log(config, { message, errorType: result.errorType, attempts: attempt + 1 });
        return;
      }
      const timer = setTimeout(() => {
        this.#retries.delete(timer);
        this.invokeAsync(reference, payload, options, attempt + 1);
      }, delayMs).unref();
      this.#retries.add(timer);
    });
  }

  /**
   * Processes of a function, found by physical name, logical id or label.
   * @param tenantId - of this tenant only, where the function isolates its tenants
   */
  pids(name: string, tenantId?: string): number[] {
    return [...this.#functions.values()]
      .filter(
        (config) =>
          config.name === name ||
          config.logicalId === name ||
          config.label.toLowerCase() === name.toLowerCase(),
      )
      .flatMap((config) =>
        [...this.#pools]
          .filter(
            ([key]) =>
              (tenantId === undefined && key.startsWith(`${config.name}\n`)) ||
              key === poolKey(config, tenantId),
          )
          .flatMap(([, pool]) => pool.pids),
      );
  }

  logFile(config: FunctionConfiguration): string {
    return join(this.#logDirectory, `${config.label.replaceAll(/[^A-Za-z0-9._-]/g, '-')}.log`);
  }

  async stop(): Promise<void> {
    for (const timer of this.#retries) {
      clearTimeout(timer);
    }
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop()));
  }

  #poolOf(config: FunctionConfiguration, tenantId: string | undefined): EnvironmentPool {
    const key = poolKey(config, tenantId);
    const pool = this.#pools.get(key) ?? this.#pool(config);
    this.#pools.set(key, pool);
    return pool;
  }

  #pool(config: FunctionConfiguration): EnvironmentPool {
    return new EnvironmentPool({
      concurrency: config.reservedConcurrency ?? this.#options.concurrency ?? DEFAULT_CONCURRENCY,
      idleMs: this.#options.idleMs ?? DEFAULT_IDLE_MS,
      launch: () => {
        const id = randomBytes(6).toString('hex');
        const temporaryDirectory = join(this.#scratch, id);
        return {
          config,
          logFile: this.logFile(config),
          temporaryDirectory,
          bootstrap: BOOTSTRAP,
          onStartFailure: (reason) => this.#reportStartFailure(config, reason),
          command: this.#command(config),
          environment: (runtimeApi) =>
            processEnvironment(config, {
              // On AWS too, the session of a function's role is named after the function.
              credentials: this.#options.registry.issue(roleSession(config.roleName, config.name)),
              endpoints: this.#options.endpoints,
              nodePath: this.#options.nodePath,
              runtimeApi,
              temporaryDirectory,
              logStream: `local/${id}`,
            }),
        };
      },
    });
  }

  #reportStartFailure(config: FunctionConfiguration, reason: string): void {
    const message = `${config.label} cannot be started: ${reason}`;
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#log(config, { message });
    this.#options.onFailure?.(new TwinError('FUNCTION_NOT_STARTED', message));
  }

  #log(config: FunctionConfiguration, fields: Record<string, unknown>): void {
    const line = { level: 'ERROR', timestamp: new Date().toISOString(), ...fields };
    appendFileSync(this.logFile(config), `${JSON.stringify(line)}\n`);
  }

  #command(config: FunctionConfiguration): string[] {
    // The heap gets nine tenths, as in Lambda's own runtime; the rest is for buffers and the runtime itself.
    const heapMiB = Math.floor(config.memoryMiB * 0.9);
    const compileCache = join(this.#options.dataDirectory, 'compile-cache');
    return [...dieWithParent(), nodeBinary(), `--max-old-space-size=${heapMiB}`, BOOTSTRAP, compileCache];
  }
}

/** No name of a function and no tenant holds a line break. */
const poolKey = ({ name, isTenantIsolated }: FunctionConfiguration, tenantId: string | undefined): string =>
  isTenantIsolated ? `${name}\n${tenantId}` : name;

/** As Lambda has it: https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-invoke.html */
function requireTenant(
  { name, isTenantIsolated }: FunctionConfiguration,
  tenantId: string | undefined,
): void {
  const refused = (message: string) => new AwsServiceError('InvalidParameterValueException', message, 400);
  if (isTenantIsolated && tenantId === undefined)
    throw refused(`${name} isolates its tenants: the call must name a tenant in X-Amz-Tenant-Id`);
  if (!isTenantIsolated && tenantId !== undefined)
    throw refused(`${name} does not isolate its tenants: X-Amz-Tenant-Id is not taken`);
  if (tenantId !== undefined && !/^[A-Za-z0-9._:/=+@ -]{1,256}$/.test(tenantId))
    throw refused('X-Amz-Tenant-Id must be 1 to 256 letters, digits, spaces or ._:/=+-@');
}

/** Functions run on Lambda's Node, whatever Node runs the twin. */
function nodeBinary(): string {
  return process.versions.node.startsWith('24.')
    ? process.execPath
    : join(import.meta.dirname, '../../node_modules/.bin/node');
}

/**
 * A function in a long computation does not notice that its connection closed. Where util-linux is there, the
 * kernel ends it with the twin; elsewhere it ends when it next looks at the connection.
 */
function dieWithParent(): string[] {
  setprivAvailable ??= ['/usr/bin/setpriv', '/bin/setpriv'].some((path) => existsSync(path));
  return setprivAvailable ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
}

let setprivAvailable: boolean | undefined;
