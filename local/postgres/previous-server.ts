import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TwinError } from '../errors.ts';

const STOP_TIMEOUT_MS = 15_000;

/**
 * Deals with the `postmaster.pid` of an earlier run. After `kill -9` of the twin the server ends by itself, a
 * moment later; after `kill -9` of everything the file names a process that is gone, or by now another one.
 */
export async function endPreviousServer(dataDirectory: string): Promise<void> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  let asked = false;
  while (existsSync(pidFile)) {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0]);
    if (!commandOf(pid).includes(dataDirectory)) {
      rmSync(pidFile, { force: true });
      return;
    }
    if (!asked) {
      asked = true;
      process.kill(pid, 'SIGINT'); // "fast shutdown": ends sessions, writes a checkpoint
    }
    if (Date.now() > deadline) {
      throw new TwinError('POSTGRES_STILL_RUNNING', `an earlier PostgreSQL (pid ${pid}) does not stop`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Command line of a process; empty when there is none. */
function commandOf(pid: number): string {
  if (!(pid > 0)) {
    return '';
  }
  try {
    return existsSync('/proc/self/cmdline')
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { stdio: 'pipe' }).toString();
  } catch {
    return '';
  }
}
