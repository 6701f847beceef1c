import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TabularEngine } from '../../../src/data/tabular-engine.ts';
import { inWorkFolder } from '../../../src/data/work-folder.ts';

const composition = join(import.meta.dirname, '../../../src/composition/duckdb.ts');
let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'work-folder-'));
  mkdirSync(join(temporary, 'tenantml-killed/spilled'), { recursive: true });
  writeFileSync(join(temporary, 'tenantml-killed/data.parquet'), 'half of it');
  mkdirSync(join(temporary, 'of-another'));
});
afterEach(() => rmSync(temporary, { recursive: true }));

/** What a process leaves below its temporary folder after it has loaded all that a function with an engine loads. */
function afterStart(environment: Record<string, string>): string[] {
  const { status, stderr } = spawnSync(process.execPath, [composition], {
    env: { PATH: process.env.PATH, TMPDIR: temporary, ...environment },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return readdirSync(temporary).sort();
}

describe('work folders', () => {
  it('of a process that was killed are gone when the next one of the function starts', () => {
    expect(afterStart({ AWS_LAMBDA_FUNCTION_NAME: 'ingest' })).toEqual(['of-another']);
  });

  it('of others stay where the temporary folder is shared', () => {
    expect(afterStart({})).toEqual(['of-another', 'tenantml-killed']);
  });

  it('are gone after the work, also after one that failed', async () => {
    const folders: string[] = [];
    let closed = 0;
    const open = async (folder: string) => {
      folders.push(folder);
      return { close: () => closed++ } as unknown as TabularEngine;
    };
    await inWorkFolder(open, async (folder) => writeFileSync(join(folder, 'x'), ''));
    const failing = inWorkFolder(open, async () => Promise.reject(new Error('on purpose')));
    await expect(failing).rejects.toThrow('on purpose');
    expect([folders.length, closed]).toEqual([2, 2]);
    for (const folder of folders) expect(() => readdirSync(folder)).toThrow('ENOENT');
  });
});
