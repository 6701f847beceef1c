import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { TwinError } from './errors.ts';

/**
 * One twin per data folder. The lock names its process and when that process started, so that neither a killed
 * twin nor a process that got its number later keeps the folder locked. Returns what releases it.
 */
export function acquireInstanceLock(file: string): () => void {
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), {
        flag: 'wx',
      });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder !== undefined && isSameProcess(holder)) {
      throw new TwinError(
        'TWIN_ALREADY_RUNNING',
        `a twin (pid ${holder.pid}) already uses this data folder; stop it, or set TENANTML_DATA_DIR to another folder`,
      );
    }
    rmSync(file, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  readonly started: string;
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined; // removed meanwhile, or cut off by a kill
  }
}

function isSameProcess(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startOf(holder.pid) === holder.started;
}

/**
 * Start of a process in clock ticks since boot; empty where there is no /proc, where the number alone decides.
 * A zombie, dead but never waited for (containers without an init process keep them), has none.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return '';
  }
}
