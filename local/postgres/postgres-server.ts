import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { LOOPBACK } from '../aws/http.ts';
import { TwinError } from '../errors.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { endPreviousServer } from './previous-server.ts';
import { type ProcessOwner, postgresOwner, runAs } from './process-owner.ts';

export interface PostgresServerOptions {
  readonly directory: string;
  readonly logFile: string;
  readonly database: string;
  /** SQL that a deployment runs as master user before the migrations; run again when it changes. */
  readonly bootstrapFile: string;
}

/**
 * The connections of functions carry an RDS IAM token as password. A local server cannot check one, so every
 * role but the superuser is trusted on loopback; which role a function may be is still decided by its signer.
 */
const PG_HBA = `# Written by the twin.
host all postgres ${LOOPBACK}/32 scram-sha-256
host all all      ${LOOPBACK}/32 trust
`;

/** Ends the server when standard input closes: on stop, and by itself when the twin dies. */
const SUPERVISOR = `"$@" </dev/null & pid=$!
cat >/dev/null
kill -INT $pid 2>/dev/null
wait $pid`;

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/** A real PostgreSQL in the data folder, in place of Aurora. */
export class PostgresServer {
  readonly host = LOOPBACK;
  readonly port: number;
  readonly #options: PostgresServerOptions;
  readonly #owner: ProcessOwner | undefined;
  readonly #dataDirectory: string;
  #supervisor: ChildProcess | undefined;

  private constructor(options: PostgresServerOptions, port: number, owner: ProcessOwner | undefined) {
    this.#options = options;
    this.port = port;
    this.#owner = owner;
    this.#dataDirectory = join(options.directory, 'data');
  }

  /** Chooses the port; nothing runs yet. */
  static async open(options: PostgresServerOptions): Promise<PostgresServer> {
    mkdirSync(options.directory, { recursive: true });
    const owner = postgresOwner();
    if (owner !== undefined) chownSync(options.directory, owner.uid, owner.gid);
    await endPreviousServer(join(options.directory, 'data'));
    const portFile = join(options.directory, 'port');
    const kept = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0;
    const port = await freePort(kept);
    writeFileSync(portFile, String(port));
    return new PostgresServer(options, port, owner);
  }

  async start(): Promise<void> {
    const { initdb, postgres: server } = await postgresBinaries();
    if (!existsSync(join(this.#dataDirectory, 'PG_VERSION'))) {
      await this.#initialize(initdb);
    }
    const log = openSync(this.#options.logFile, 'a');
    // fsync off: files survive the death of any process, which is all that a developer's machine needs.
    const settings = [
      'fsync=off',
      'full_page_writes=off',
      `listen_addresses=${LOOPBACK}`,
      'unix_socket_directories=',
    ];
    const command = [
      server,
      '-D',
      this.#dataDirectory,
      '-p',
      String(this.port),
      ...settings.flatMap((s) => ['-c', s]),
    ];
    const [program, ...args] = runAs(
      this.#owner,
      ['sh', '-c', SUPERVISOR, 'postgres', ...command],
      this.#paths(server),
    );
    this.#supervisor = spawn(program as string, args, {
      stdio: ['pipe', log, log],
      env: minimalEnvironment(),
      detached: true,
    });
    closeSync(log);
    await this.#waitUntilReady();
    await this.#bootstrap();
  }

  async stop(): Promise<void> {
    const supervisor = this.#supervisor;
    this.#supervisor = undefined;
    if (supervisor === undefined || supervisor.exitCode !== null) {
      return;
    }
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, STOP_TIMEOUT_MS);
      supervisor.once('exit', () => {
        clearTimeout(giveUp);
        resolve();
      });
      supervisor.stdin?.end();
    });
  }

  /** For the twin's own work; functions connect as their own roles. */
  connectAsSuperuser(database: string): postgres.Sql {
    return postgres({
      host: this.host,
      port: this.port,
      database,
      username: 'postgres',
      password: readFileSync(join(this.#options.directory, 'password'), 'utf8'),
      max: 1,
      connect_timeout: 5,
      onnotice: () => undefined,
    });
  }

  #paths(binary: string): string[] {
    return [dirname(binary), this.#options.directory];
  }

  async #initialize(initdb: string): Promise<void> {
    const fresh = `${this.#dataDirectory}.new`;
    const passwordFile = join(this.#options.directory, 'password');
    rmSync(fresh, { recursive: true, force: true });
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (this.#owner !== undefined) chownSync(passwordFile, this.#owner.uid, this.#owner.gid);
    const [program, ...args] = runAs(
      this.#owner,
      [
        initdb,
        `--pgdata=${fresh}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
        '--no-instructions',
      ],
      this.#paths(initdb),
    );
    try {
      await promisify(execFile)(program as string, args, { env: minimalEnvironment() });
    } catch (cause) {
      const { stderr } = cause as { stderr?: string };
      throw new TwinError('POSTGRES_INIT', `initdb failed: ${stderr?.trim() || String(cause)}`, { cause });
    }
    writeFileSync(join(fresh, 'pg_hba.conf'), PG_HBA);
    // A killed initialization leaves only the .new folder, which the next start removes.
    renameSync(fresh, this.#dataDirectory);
  }

  async #waitUntilReady(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const sql = this.connectAsSuperuser('postgres');
      // Whoever else may listen there can leave the client waiting for ever.
      const silence = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => silence.reject(new Error(`nothing that speaks PostgreSQL answers on port ${this.port}`)),
        Math.max(0, deadline - Date.now()),
      );
      try {
        await Promise.race([sql`select 1`, silence.promise]);
        return;
      } catch (cause) {
        const died = this.#supervisor === undefined || this.#supervisor.exitCode !== null;
        if (died || Date.now() > deadline) {
          throw new TwinError('POSTGRES_START', `PostgreSQL did not start; see ${this.#options.logFile}`, {
            cause,
          });
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      } finally {
        clearTimeout(timer);
        await sql.end({ timeout: 1 });
      }
    }
  }

  /** What the deployment does on AWS before the first migration. `rds_iam` is a role that RDS itself brings. */
  async #bootstrap(): Promise<void> {
    const { bootstrapFile, database, directory } = this.#options;
    const text = existsSync(bootstrapFile) ? readFileSync(bootstrapFile, 'utf8') : '';
    const digest = createHash('sha256').update(text).digest('hex');
    const doneFile = join(directory, 'bootstrap.sha256');
    if (existsSync(doneFile) && readFileSync(doneFile, 'utf8') === digest) {
      return;
    }
    const server = this.connectAsSuperuser('postgres');
    try {
      const [found] = await server`select 1 from pg_database where datname = ${database}`;
      if (found === undefined) await server.unsafe(`create database "${database}"`);
      await server.unsafe(`do $$ begin
        if not exists (select from pg_roles where rolname = 'rds_iam') then create role rds_iam; end if; end $$`);
    } finally {
      await server.end();
    }
    const sql = this.connectAsSuperuser(database);
    try {
      if (text !== '') await sql.unsafe(text);
    } finally {
      await sql.end();
    }
    writeFileSync(doneFile, digest);
  }
}

function minimalEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Below those that systems give to whoever asks for any, and to outgoing connections. */
const firstPort = 20_000;
const nPorts = 12_000;

/**
 * The preferred port when it is free, else any that nobody is given by chance: PostgreSQL listens a second later, and
 * finds it free still.
 */
async function freePort(preferred: number): Promise<number> {
  const isFree = (port: number) =>
    new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
    });
  if (preferred !== 0 && (await isFree(preferred))) return preferred;
  for (let tries = 0; tries < nPorts; tries++) {
    const port = firstPort + randomInt(nPorts);
    if (await isFree(port)) return port;
  }
  throw new TwinError('POSTGRES_START', `no port from ${firstPort} to ${firstPort + nPorts - 1} is free`);
}
