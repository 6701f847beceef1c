import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isRunning, processIdentity } from './process-identity.ts';

/**
 * The build folder: `<hash>` is a synthesis, `<hash>.<pid>` one that this process is making or removing, and
 * `users/<hash>/<pid>-<start>-<id>` says who runs from it. Marks are beside what they mark, so that a synthesis can be
 * moved away before it is removed.
 */
const KEPT_SYNTHESES = 3;
const SYNTHESIS = /^[0-9a-f]{16}$/;
const UNFINISHED = /^[0-9a-f]{16}\.(\d+)$/;

/** Says that this process runs from a synthesis; gives what takes that back. */
export function useFolder(directory: string): () => void {
  const marks = marksOf(directory);
  mkdirSync(marks, { recursive: true });
  const { pid, started } = processIdentity(process.pid);
  const mark = join(marks, `${pid}-${started}-${randomUUID().slice(0, 8)}`);
  writeFileSync(mark, '');
  return () => rmSync(mark, { force: true });
}

/** Removes all but the latest syntheses, except those from which a twin runs: its next cold start needs the code. */
export function removeOldFolders(build: string): void {
  const names = readdirSync(build);
  for (const name of names) {
    const pid = UNFINISHED.exec(name)?.[1];
    if (pid !== undefined && !isRunning(processIdentity(Number(pid)))) {
      rmSync(join(build, name), { recursive: true, force: true });
    }
  }
  const syntheses = names
    .filter((name) => SYNTHESIS.test(name))
    .map((name) => ({ path: join(build, name), usedMs: usedMs(join(build, name)) }))
    .sort((a, b) => b.usedMs - a.usedMs);
  for (const [i, { path }] of syntheses.entries()) {
    if (!hasUser(path) && i >= KEPT_SYNTHESES) remove(path);
  }
}

function remove(path: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another twin was faster
  }
  // A twin may have chosen it since it was looked at; what it has marked is given back.
  if (hasUser(path)) renameSync(aside, path);
  else rmSync(aside, { recursive: true, force: true });
}

/** Whether a running process uses a synthesis. Marks of those that ended are removed. */
function hasUser(directory: string): boolean {
  const marks = marksOf(directory);
  let used = false;
  for (const name of namesIn(marks)) {
    const [pid, started] = name.split('-');
    if (isRunning({ pid: Number(pid), started })) used = true;
    else rmSync(join(marks, name), { force: true });
  }
  if (!used) {
    try {
      rmdirSync(marks);
    } catch {
      // not there, or marked at this moment
    }
  }
  return used;
}

function marksOf(directory: string): string {
  return join(dirname(directory), 'users', basename(directory));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function usedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
