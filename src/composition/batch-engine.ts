import { DuckDbBatchEngine } from '../adapters/duckdb/duckdb-batch-engine.ts';
import { config } from '../config.ts';
import { removeLeftWorkFolders } from '../data/work-folder.ts';

// As in duckdb.ts: what a process that was ended has left, and before this one has made any folder.
if (config.isTemporaryFolderOwn) removeLeftWorkFolders();

const mebibyte = 1024 * 1024;
const nodeMiB = 320;
/** A quarter for DuckDB: it holds one part's predictions, and spills what is more. */
const duckDbMiB = () => Math.floor(config.functionMemoryMiB / 4);

export const openBatchDuckDb = (folder: string) =>
  DuckDbBatchEngine.open(folder, { memoryMiB: duckDbMiB(), threads: 2 });

/** What is left for a loaded model. */
export const batchModelLimitBytes = (): number =>
  Math.max(0, config.functionMemoryMiB - nodeMiB - duckDbMiB()) * mebibyte;
