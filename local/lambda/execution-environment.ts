import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LOOPBACK } from '../aws/http.ts';
import type { FunctionConfiguration } from './function-configuration.ts';
import {
  functionError,
  type Invocation,
  type InvocationResult,
  MAX_PAYLOAD_BYTES,
  reportedError,
} from './invocation.ts';
import { residentBytes } from './resident-memory.ts';

export interface EnvironmentLaunch {
  readonly config: FunctionConfiguration;
  readonly logFile: string;
  readonly temporaryDirectory: string;
  readonly bootstrap: string;
  /** Program and arguments that run the bootstrap. */
  readonly command: readonly string[];
  environment(runtimeApi: string): Record<string, string>;
  /** The process cannot be started at all, whoever calls; the function's own code never ran. */
  onStartFailure(reason: string): void;
}

/**
 * State of one execution environment.
 *
 * starting → idle ⇄ busy → dead
 *    └────────┴──────────────↑   process exit, init error, timeout, out of memory, reaping
 */
export type EnvironmentState = 'starting' | 'idle' | 'busy' | 'dead';

const SHUTDOWN_MS = 500;
const MEMORY_CHECK_MS = 500;

/** One function process and its Runtime API: one invocation at a time, reused while warm. */
export class ExecutionEnvironment {
  state: EnvironmentState = 'starting';
  idleSinceMs = Date.now();
  readonly #launch: EnvironmentLaunch;
  readonly #onState: (environment: ExecutionEnvironment) => void;
  readonly #server: Server;
  #child: ChildProcess | undefined;
  #next: ServerResponse | undefined;
  #receiving = false;
  #current: Invocation | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #memoryTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  #hasExtension = false;
  /** What kept the process itself from starting. */
  #spawnError: Error | undefined;
  #deathCause: { errorType: string; message: string } | undefined;
  /** What failed the initialization; the invocation that caused the start gets it. */
  initError: InvocationResult | undefined;
  /** The process ended before it ever asked for an invocation. */
  diedStarting = false;

  constructor(launch: EnvironmentLaunch, onState: (environment: ExecutionEnvironment) => void) {
    this.#launch = launch;
    this.#onState = onState;
    this.#server = createServer(
      { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 },
      (request, response) => this.#serve(request, response),
    );
    this.#server.listen(0, LOOPBACK, () => this.#spawn());
    this.#server.on('error', () => this.#die());
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Hands an invocation to an idle environment. */
  invoke(invocation: Invocation): void {
    const next = this.#next as ServerResponse;
    const { config } = this.#launch;
    this.state = 'busy';
    this.#next = undefined;
    this.#current = invocation;
    this.#deadlineTimer = setTimeout(() => this.#timeOut(), config.timeoutMs);
    next.writeHead(200, {
      'content-type': 'application/json',
      'content-length': invocation.payload.length,
      'lambda-runtime-aws-request-id': invocation.requestId,
      'lambda-runtime-deadline-ms': String(Date.now() + config.timeoutMs),
      'lambda-runtime-invoked-function-arn': config.arn,
      'lambda-runtime-trace-id': invocation.traceId,
      ...(invocation.tenantId === undefined ? {} : { 'lambda-runtime-aws-tenant-id': invocation.tenantId }),
    });
    next.end(invocation.payload);
  }

  /** Ends the environment. As on AWS, only one with an extension is asked first: SIGTERM, then SIGKILL. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || this.state === 'dead') {
      this.#die();
      return;
    }
    await new Promise<void>((resolve) => {
      const killer = setTimeout(() => this.#kill(), SHUTDOWN_MS);
      child.once('exit', () => {
        clearTimeout(killer);
        resolve();
      });
      child.kill(this.#hasExtension ? 'SIGTERM' : 'SIGKILL');
    });
  }

  #spawn(): void {
    if (this.state === 'dead') {
      this.#server.close();
      return;
    }
    const { config, command, logFile, temporaryDirectory } = this.#launch;
    const { port } = this.#server.address() as AddressInfo;
    mkdirSync(temporaryDirectory, { recursive: true });
    // The process writes its log lines by itself: a busy function costs the twin nothing.
    const log = openSync(logFile, 'a');
    const child = spawn(command[0] as string, command.slice(1), {
      cwd: config.taskRoot,
      env: this.#launch.environment(`${LOOPBACK}:${port}`),
      stdio: ['ignore', log, log],
      // A process group of its own: Ctrl-C on the terminal reaches the twin only, which then stops in order.
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    child.once('error', (error) => {
      this.#spawnError = error;
      this.#deathCause = { errorType: 'Runtime.ExitError', message: error.message };
      this.#die();
    });
    child.once('exit', (code, signal) => {
      this.#deathCause ??= {
        errorType: 'Runtime.ExitError',
        message: `Runtime exited ${signal === null ? `with error: exit status ${code}` : `with error: signal: ${signal}`}`,
      };
      this.#die();
    });
    this.#memoryTimer = setInterval(() => this.#watchMemory(), MEMORY_CHECK_MS).unref();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    if (path.includes('/extension/')) {
      this.#serveExtension(request, response);
      return;
    }
    if (request.method === 'GET' && path.endsWith('/invocation/next')) {
      this.#next = response;
      // The runtime pipelines: the body of the answer before this request may still be on its way.
      if (!this.#receiving) this.#becomeIdle();
      return;
    }
    this.#receiving = true;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.#receiving = false;
      response.writeHead(202, { 'content-length': 0 }).end();
      const body = Buffer.concat(chunks);
      if (path.endsWith('/init/error')) {
        this.initError = reportedError(body);
      } else if (this.#current !== undefined && path.includes(this.#current.requestId)) {
        this.#settle(path.endsWith('/error') ? reportedError(body) : answer(body));
      }
      if (this.#next !== undefined) this.#becomeIdle();
    });
  }

  /** Extensions within the process: they are registered, wait for events that the twin does not send, and learn of the end by SIGTERM. */
  #serveExtension(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (!(request.url ?? '').endsWith('/register')) return;
    response.writeHead(200, { 'content-length': 2, 'lambda-extension-identifier': randomUUID() }).end('{}');
    this.#hasExtension = true;
  }

  #becomeIdle(): void {
    this.state = 'idle';
    this.idleSinceMs = Date.now();
    this.#onState(this);
  }

  #settle(result: InvocationResult): void {
    clearTimeout(this.#deadlineTimer);
    const invocation = this.#current;
    this.#current = undefined;
    invocation?.resolve(result);
  }

  #timeOut(): void {
    const { config } = this.#launch;
    const seconds = (config.timeoutMs / 1000).toFixed(2);
    this.#deathCause = { errorType: 'Sandbox.Timedout', message: `Task timed out after ${seconds} seconds` };
    this.#kill();
  }

  #watchMemory(): void {
    const { config } = this.#launch;
    const bytes = this.pid === undefined ? undefined : residentBytes(this.pid);
    if (bytes !== undefined && bytes > config.memoryMiB * 1024 * 1024) {
      this.#deathCause = {
        errorType: 'Runtime.OutOfMemory',
        message: `Runtime exited with error: signal: killed (${Math.round(bytes / 1024 / 1024)} MiB resident, memory size ${config.memoryMiB} MiB)`,
      };
      this.#kill();
    }
  }

  #kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #die(): void {
    if (this.state === 'dead') {
      return;
    }
    this.diedStarting = this.state === 'starting';
    this.state = 'dead';
    if (this.diedStarting && this.initError === undefined && !this.#stopping) this.#reportStartFailure();
    clearInterval(this.#memoryTimer);
    this.#server.close();
    this.#server.closeAllConnections();
    const cause = this.#deathCause;
    if (this.#current !== undefined && cause !== undefined) {
      this.#logDeath(cause);
      this.#settle(
        functionError(cause.errorType, `RequestId: ${this.#current.requestId} Error: ${cause.message}`),
      );
    }
    rmSync(this.#launch.temporaryDirectory, { recursive: true, force: true });
    this.#onState(this);
  }

  #reportStartFailure(): void {
    const { config, bootstrap, onStartFailure } = this.#launch;
    // Node names the program when it is the working directory that does not exist: look what is really missing.
    const gone = [config.taskRoot, bootstrap].find((path) => !existsSync(path));
    if (gone !== undefined) onStartFailure(`${gone} is gone; restart the twin`);
    else if (this.#spawnError !== undefined) onStartFailure(this.#spawnError.message);
  }

  #logDeath(cause: { errorType: string; message: string }): void {
    const line = {
      level: 'ERROR',
      timestamp: new Date().toISOString(),
      message: cause.message,
      errorType: cause.errorType,
      requestId: this.#current?.requestId,
      type: 'platform.runtimeDone',
    };
    const log = openSync(this.#launch.logFile, 'a');
    writeSync(log, `${JSON.stringify(line)}\n`);
    closeSync(log);
  }
}

function answer(body: Buffer): InvocationResult {
  return body.length > MAX_PAYLOAD_BYTES
    ? functionError(
        'Function.ResponseSizeTooLarge',
        `Response payload size (${body.length} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
      )
    : { ok: true, payload: body };
}
