import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { processIdentity } from '../../../local/process-identity.ts';
import { removeOldFolders, useFolder } from '../../../local/synthesis-folders.ts';

let build: string;
beforeEach(() => {
  build = mkdtempSync(join(tmpdir(), 'twin-syntheses-'));
});
afterEach(() => rmSync(build, { recursive: true }));

/** A synthesis that was last used so many minutes ago. */
function folder(name: string, minutesAgo: number): string {
  const path = join(build, name.padEnd(16, '0'));
  mkdirSync(path);
  writeFileSync(join(path, 'manifest.json'), '{}');
  const used = new Date(Date.UTC(2026, 0, 1) - minutesAgo * 60_000);
  utimesSync(path, used, used);
  return path;
}

const left = () =>
  readdirSync(build)
    .filter((name) => name !== 'users')
    .map((name) => name.replace(/0+$/, ''))
    .sort();

it('keeps the three syntheses that were used last', () => {
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) folder(name, i);
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c']);
});

it('keeps a synthesis as long as a twin uses it', () => {
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) folder(name, i);
  const oldest = join(build, 'e'.padEnd(16, '0'));
  const [releaseOne, releaseOther] = [useFolder(oldest), useFolder(oldest)];
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c', 'e']);
  releaseOne();
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c', 'e']);
  releaseOther();
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c']);
});

it('forgets users that died without saying so, and what they left half made', async () => {
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) folder(name, i);
  const child = spawn('sleep', ['60']);
  const pid = child.pid as number;
  const marks = join(build, 'users', 'd'.padEnd(16, '0'));
  mkdirSync(marks, { recursive: true });
  writeFileSync(join(marks, `${pid}-${processIdentity(pid).started}-1`), '');
  // The number of a process that runs, but another one by now.
  writeFileSync(join(marks, `${process.pid}-1-1`), '');
  mkdirSync(join(build, `${'f'.repeat(16)}.${pid}`));
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c', 'd', `${'f'.repeat(16)}.${pid}`.replace(/0+$/, '')]);
  expect(readdirSync(marks)).toHaveLength(1);

  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
  removeOldFolders(build);
  expect(left()).toEqual(['a', 'b', 'c']);
  expect(existsSync(marks)).toBe(false);
});
