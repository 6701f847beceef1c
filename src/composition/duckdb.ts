import { DuckDbEngine } from '../adapters/duckdb/duckdb-engine.ts';
import { config } from '../config.ts';

/** Half of the function for DuckDB; the rest is for Node and for what DuckDB does not count. */
export const openDuckDb = (folder: string) =>
  DuckDbEngine.open(folder, { memoryMiB: Math.floor(config.functionMemoryMiB / 2), threads: 2 });
