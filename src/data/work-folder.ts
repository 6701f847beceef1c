import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TabularEngine } from './tabular-engine.ts';

const prefix = 'tenantml-';

/** @returns a new folder; whoever asks for it removes it */
export const newWorkFolder = (): Promise<string> => mkdtemp(join(tmpdir(), prefix));

/** Gives a call a folder of its own, gone afterwards, and an engine that sees nothing else. */
export async function inWorkFolder<Engine extends Pick<TabularEngine, 'close'>, Result>(
  openEngine: (folder: string) => Promise<Engine>,
  work: (folder: string, engine: Engine) => Promise<Result>,
): Promise<Result> {
  const folder = await newWorkFolder();
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

/**
 * Removes the work folders of processes that were killed before they could do it. Only for a process that has its
 * temporary folder to itself, and before its first work folder: at another time it would take one from under a call.
 */
export function removeLeftWorkFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(prefix)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
