import { once } from 'node:events';
import type { HttpClient } from '../../client/http-client.ts';
import { pullModel } from '../../client/pull-model.ts';
import { UsageError } from '../exit-code.ts';
import { type Output, print, printJson } from '../output.ts';
import { serverToken } from '../session.ts';

export interface ServeOptions extends Output {
  readonly models: string;
  readonly host: string;
  readonly port: string;
  readonly memory: string;
  readonly refresh: string;
  readonly drain: string;
}

/** Serves models of a folder until it is told to stop; those that are named are first brought there, and kept current. */
export async function serve(
  client: HttpClient,
  names: readonly string[],
  options: ServeOptions,
): Promise<void> {
  const port = wholeNumber(options.port, '--port', 0, 65_535);
  const cacheMemoryMiB = wholeNumber(options.memory, '--memory', 16, 1_000_000);
  const refreshMs = wholeNumber(options.refresh, '--refresh', 0, 86_400) * 1_000;
  const drainMs = wholeNumber(options.drain, '--drain', 0, 600) * 1_000;
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  for (const name of names) {
    const { version, isNew } = await pullModel(client, name, options.models);
    if (!options.json && !options.quiet) print(`${name} ${version} ${isNew ? 'pulled' : 'is current'}`);
  }
  // Loaded here: no other command needs the server.
  const { createModelServer } = await import('../../composition/model-server.ts');
  const token = serverToken();
  const server = createModelServer({
    ...{ models: options.models, host: options.host, port, cacheMemoryMiB, drainMs },
    ...(token === undefined ? {} : { token }),
  });
  const { url, models } = await server.start();
  if (options.json) printJson({ url, models });
  else print(`serving ${models.length === 0 ? 'no models yet' : models.join(', ')} at ${url}`);
  if (token === undefined && !['127.0.0.1', 'localhost', '::1'].includes(options.host))
    process.stderr.write(
      'warning: whoever reaches this port may predict; set TENANTML_SERVER_TOKEN to ask for a token\n',
    );
  let refreshing: NodeJS.Timeout | undefined;
  /** The next one starts when this one has ended, however long it takes. */
  const refreshLater = () => {
    refreshing = setTimeout(() => void refresh(client, names, options).then(refreshLater), refreshMs);
  };
  if (refreshMs > 0 && names.length > 0) refreshLater();
  await stopped;
  clearTimeout(refreshing);
  await server.stop();
}

/** What is served stays when the platform cannot be reached. */
async function refresh(
  client: HttpClient,
  names: readonly string[],
  { models, quiet, json }: ServeOptions,
): Promise<void> {
  for (const name of names) {
    try {
      const { version, isNew } = await pullModel(client, name, models);
      if (isNew && !quiet && !json) print(`${name} ${version} pulled`);
    } catch (error) {
      process.stderr.write(`${name} could not be refreshed: ${(error as Error).message}\n`);
    }
  }
}

function wholeNumber(text: string, option: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${option} ${text} must be a whole number from ${min} to ${max}`);
}
