import { createHash, timingSafeEqual } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import { failureOf } from '../adapters/aws/lambda/failure-of.ts';
import { FolderServingStore } from '../adapters/folder/folder-serving-store.ts';
import { FolderSignatures } from '../adapters/folder/folder-signatures.ts';
import { ServingServer } from '../adapters/node/serving-server.ts';
import { OnnxruntimeExecutor } from '../adapters/onnxruntime/onnxruntime-executor.ts';
import { systemClock } from '../clock.ts';
import type { ModelName } from '../contracts/names.ts';
import { ChoosingExecutor } from '../serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../serving/graph/typescript-executor.ts';
import { ServingApp } from '../serving/http/serving-app.ts';
import { ModelCache } from '../serving/model-cache.ts';
import { Predictor, type Resident } from '../serving/predictor.ts';
import { TenantContext, UnauthenticatedError } from '../tenancy/tenant-context.ts';

export interface ModelServerOptions {
  /** Folder of models: `<model>/<version>/model.onnx` and `manifest.json`. */
  readonly models: string;
  /** @default '0.0.0.0' - every address of the machine */
  readonly host?: string;
  /** @default 8000 */
  readonly port?: number;
  /** What callers have to send as bearer token. @default - nothing */
  readonly token?: string;
  /** Memory for loaded models. @default 1024 */
  readonly cacheMemoryMiB?: number;
  /** Most models in memory. @default 100 */
  readonly maxModels?: number;
  /** How long it says that it is not ready before it stops taking requests. @default 0 */
  readonly drainMs?: number;
  /** Told of failures of the server itself. @default - lines on stderr */
  readonly onError?: (message: string) => void;
}

/** Whom the models of a server belong to: it has one owner, and its folder no tenants. */
const tenant = 'local';

/**
 * The serving plane in one process, without Lambda: all dialects, models from a folder. Nothing is listened to before
 * `start`.
 */
export function createModelServer(options: ModelServerOptions): ModelServer {
  return new ModelServer(options);
}

export class ModelServer {
  readonly #options: ModelServerOptions;
  readonly #store: FolderServingStore;
  readonly #predictor: Predictor;
  #server: ServingServer | undefined;
  #ready = false;

  constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#store = new FolderServingStore(options.models, tenant);
    this.#predictor = new Predictor({
      store: this.#store,
      signatures: new FolderSignatures(this.#store),
      executor: new ChoosingExecutor(new TypeScriptExecutor(), new OnnxruntimeExecutor()),
      clock: systemClock,
      cache: new ModelCache<Resident>(
        {
          budgetBytes: (options.cacheMemoryMiB ?? 1024) * 1024 * 1024,
          maxModels: options.maxModels ?? 100,
        },
        systemClock,
      ),
    });
  }

  /**
   * Listens, then loads every model once; ready when that is done.
   * @returns the address, and the models that could be loaded
   */
  async start(): Promise<{ url: string; models: readonly ModelName[] }> {
    const { host = '0.0.0.0', port = 8000, token } = this.#options;
    const names = await this.#store.models();
    const report = this.#options.onError ?? ((message) => process.stderr.write(`${message}\n`));
    const owner = contextOf('start');
    const app = new ServingApp({
      predictor: this.#predictor,
      version: packageJson.version,
      failureOf,
      onFailure: (error, { code }, { method, path }) => {
        if (code === 'INTERNAL') report(`${method} ${path}: ${(error as Error).stack ?? String(error)}`);
      },
      isReady: () => this.#ready,
      ...(names.length === 1 ? { defaultModel: names[0]! } : {}),
      // Who watches a server knows no token.
      watcher: owner,
    });
    this.#server = new ServingServer({
      app,
      tenantOf: token === undefined ? (_, id) => contextOf(id) : guard(token),
      onError: (error) => report(String((error as Error).stack ?? error)),
    });
    const listening = await this.#server.listen(host, port);
    const loaded: ModelName[] = [];
    for (const name of names) {
      try {
        await this.#predictor.describe(owner, name);
        loaded.push(name);
      } catch (error) {
        report(`${name} cannot be served: ${(error as Error).message}`);
      }
    }
    this.#ready = true;
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    return { url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${listening}`, models: loaded };
  }

  /** Says that it is not ready, waits for balancers to notice, answers what is being worked on, and ends. */
  async stop(): Promise<void> {
    this.#ready = false;
    this.#server?.drain();
    const { drainMs = 0 } = this.#options;
    if (drainMs > 0) await new Promise((resolve) => setTimeout(resolve, drainMs));
    await this.#server?.close();
  }
}

const contextOf = (requestId: string): TenantContext =>
  TenantContext.fromClaims(
    { tenant, role: 'admin', subject: 'model-server', expires_at: Number.POSITIVE_INFINITY },
    requestId,
    0,
  );

const hashed = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in the same time whatever is sent: hashes of one length. */
function guard(token: string) {
  const expected = hashed(token);
  return (authorization: string | undefined, requestId: string): TenantContext => {
    if (authorization === undefined)
      throw new UnauthenticatedError('UNAUTHENTICATED', 'send the token of this server as a bearer token');
    const [, scheme = '', credential = ''] = /^(\S+) +(.*?) *$/.exec(authorization) ?? [];
    const isBasic = scheme.toLowerCase() === 'basic';
    const sent = isBasic
      ? Buffer.from(credential, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '')
      : credential;
    const isRight = timingSafeEqual(hashed(sent), expected) && (isBasic || scheme.toLowerCase() === 'bearer');
    if (!isRight)
      throw new UnauthenticatedError(
        'TOKEN_INVALID',
        'the token is not the one that this server was started with',
      );
    return contextOf(requestId);
  };
}
