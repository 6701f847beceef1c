import { DuckDbEngine } from '../adapters/duckdb/duckdb-engine.ts';
import { config } from '../config.ts';
import { removeLeftWorkFolders } from '../data/work-folder.ts';

// A process that Lambda ended for its time or memory leaves its files to the next one in the same sandbox. While this
// module loads, the process has made none yet.
if (config.isTemporaryFolderOwn) removeLeftWorkFolders();

/** Half of the function for DuckDB; the rest is for Node and for what DuckDB does not count. */
export const openDuckDb = (folder: string) =>
  DuckDbEngine.open(folder, { memoryMiB: Math.floor(config.functionMemoryMiB / 2), threads: 2 });
