import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TabularEngine } from './tabular-engine.ts';

/** Gives a call a folder of its own, gone afterwards, and an engine that sees nothing else. */
export async function inWorkFolder<Result>(
  openEngine: (folder: string) => Promise<TabularEngine>,
  work: (folder: string, engine: TabularEngine) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantml-'));
  try {
    const engine = await openEngine(folder);
    try {
      return await work(folder, engine);
    } finally {
      engine.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
