import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { TwinError } from './errors.ts';
import { isRunning, type ProcessIdentity, processIdentity } from './process-identity.ts';

/**
 * One twin per data folder. The lock names its process and when that process started, so that neither a killed
 * twin nor a process that got its number later keeps the folder locked. Returns what releases it.
 */
export function acquireInstanceLock(file: string): () => void {
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(processIdentity(process.pid)), {
        flag: 'wx',
      });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder !== undefined && isRunning(holder)) {
      throw new TwinError(
        'TWIN_ALREADY_RUNNING',
        `a twin (pid ${holder.pid}) already uses this data folder; stop it, or set TENANTML_DATA_DIR to another folder`,
      );
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined; // removed meanwhile, or cut off by a kill
  }
}
