import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { TwinError } from '../errors.ts';

export interface ProcessOwner {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root. As root, use (or make) the user `postgres`; otherwise the caller's own. */
export function postgresOwner(): ProcessOwner | undefined {
  if (userInfo().uid !== 0) {
    return undefined;
  }
  return lookUp() ?? create();
}

function lookUp(): ProcessOwner | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function create(): ProcessOwner {
  try {
    execFileSync('groupadd', ['-f', 'postgres'], { stdio: 'pipe' });
    execFileSync('useradd', ['-g', 'postgres', '-M', 'postgres'], { stdio: 'pipe' });
  } catch (cause) {
    throw new TwinError(
      'POSTGRES_USER',
      'running as root needs a user "postgres", which could not be created',
      { cause },
    );
  }
  return lookUp() as ProcessOwner;
}

/**
 * The command, run as that user. A checkout or data folder may lie below a folder that only root may enter
 * (`mktemp -d`, `/root`): there the process keeps root's right to enter folders, and no other.
 */
export function runAs(
  owner: ProcessOwner | undefined,
  command: readonly string[],
  paths: readonly string[],
): string[] {
  if (owner === undefined) {
    return [...command];
  }
  if (!['/usr/bin/setpriv', '/bin/setpriv'].some((path) => existsSync(path))) {
    throw new TwinError(
      'SETPRIV_MISSING',
      'as root the twin needs setpriv (util-linux); install it, or run as an ordinary user',
    );
  }
  const identity = ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  const capability = [
    '--inh-caps=+dac_read_search,+dac_override',
    '--ambient-caps=+dac_read_search,+dac_override',
  ];
  return [...identity, ...(paths.every(isOpenToAll) ? [] : capability), '--', ...command];
}

/** Whether everyone may enter this folder and all above it. */
function isOpenToAll(path: string): boolean {
  for (let current = path; current !== dirname(current); current = dirname(current)) {
    if ((statSync(current).mode & 0o001) === 0 && current !== path) return false;
  }
  return true;
}
