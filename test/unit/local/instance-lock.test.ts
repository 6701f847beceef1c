import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireInstanceLock } from '../../../local/instance-lock.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'twin-lock-'));
  file = join(directory, 'twin.lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the lock of a data folder', () => {
  it('keeps a second twin out until it is released', () => {
    const release = acquireInstanceLock(file);
    expect(() => acquireInstanceLock(file)).toThrow(
      expect.objectContaining({ code: 'TWIN_ALREADY_RUNNING' }),
    );
    release();
    acquireInstanceLock(file)();
  });

  it.each([
    ['is gone', () => JSON.stringify({ pid: spawnSync('true').pid, started: '1' })],
    ['is another process by now', () => JSON.stringify({ pid: process.pid, started: '1' })],
    ['was killed while it wrote the lock', () => '{"pid":'],
  ])('is free again when its holder %s', (_, content) => {
    writeFileSync(file, content());
    acquireInstanceLock(file)();
  });
});
