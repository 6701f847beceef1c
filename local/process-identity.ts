import { readFileSync } from 'node:fs';

/** A process by its number and its start: the number alone may belong to another one later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot; empty where there is no /proc, where the number alone decides. */
  readonly started: string | undefined;
}

export function processIdentity(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

/** Whether this very process still runs. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return started !== undefined && startOf(pid) === started;
}

/** A zombie, dead but never waited for (containers without an init process keep them), has no start. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return '';
  }
}
