import { DatabaseSync } from 'node:sqlite';
import type { HistoryEvent } from './execution-history.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  readonly arn: string;
  readonly machineArn: string;
  readonly name: string;
  readonly input: string;
  readonly status: ExecutionStatus;
  readonly startMs: number;
  readonly stopMs: number | undefined;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

export interface ExecutionEnd {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly stopMs: number;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** Executions in SQLite, so that none is running for ever after the twin was killed. */
export class ExecutionStore {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = OFF;
      CREATE TABLE IF NOT EXISTS executions (
        arn TEXT PRIMARY KEY, machine_arn TEXT NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL, status TEXT NOT NULL,
        start_ms INTEGER NOT NULL, stop_ms INTEGER, output TEXT, error TEXT, cause TEXT);
      CREATE TABLE IF NOT EXISTS events (
        id INTEGER PRIMARY KEY, arn TEXT NOT NULL, event TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS events_by_execution ON events (arn, id);`);
  }

  insert(execution: Pick<Execution, 'arn' | 'machineArn' | 'name' | 'input' | 'startMs'>): void {
    this.#database
      .prepare(
        'INSERT INTO executions (arn, machine_arn, name, input, status, start_ms) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(
        execution.arn,
        execution.machineArn,
        execution.name,
        execution.input,
        'RUNNING',
        execution.startMs,
      );
  }

  find(arn: string): Execution | undefined {
    const row = this.#database.prepare('SELECT * FROM executions WHERE arn = ?').get(arn);
    return row === undefined ? undefined : toExecution(row);
  }

  running(): Execution[] {
    return this.#database.prepare("SELECT * FROM executions WHERE status = 'RUNNING'").all().map(toExecution);
  }

  /** Ends a running execution; undefined when it has ended before. */
  end(arn: string, end: ExecutionEnd): Execution | undefined {
    const { changes } = this.#database
      .prepare(
        "UPDATE executions SET status = ?, stop_ms = ?, output = ?, error = ?, cause = ? WHERE arn = ? AND status = 'RUNNING'",
      )
      .run(end.status, end.stopMs, end.output ?? null, end.error ?? null, end.cause ?? null, arn);
    return changes === 0 ? undefined : this.find(arn);
  }

  tell(arn: string, event: HistoryEvent): void {
    this.#database.prepare('INSERT INTO events (arn, event) VALUES (?, ?)').run(arn, JSON.stringify(event));
  }

  /** Oldest first. */
  history(arn: string): HistoryEvent[] {
    return this.#database
      .prepare('SELECT event FROM events WHERE arn = ? ORDER BY id')
      .all(arn)
      .map((row) => JSON.parse(String(row.event)) as HistoryEvent);
  }

  close(): void {
    this.#database.close();
  }
}

function toExecution(row: Record<string, unknown>): Execution {
  const text = (value: unknown) => (value === null ? undefined : String(value));
  return {
    arn: String(row.arn),
    machineArn: String(row.machine_arn),
    name: String(row.name),
    input: String(row.input),
    status: row.status as ExecutionStatus,
    startMs: Number(row.start_ms),
    stopMs: row.stop_ms === null ? undefined : Number(row.stop_ms),
    output: text(row.output),
    error: text(row.error),
    cause: text(row.cause),
  };
}
