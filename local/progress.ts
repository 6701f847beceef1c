import { appendFileSync } from 'node:fs';

/** One line per part that is up, with the time that it took. */
export class Progress {
  readonly #quiet: boolean;
  readonly #logFile: string;

  constructor(quiet: boolean, logFile: string) {
    this.#quiet = quiet;
    this.#logFile = logFile;
  }

  /** Runs a part of the start and reports it. */
  async step<T>(name: string, work: () => T | Promise<T>, note?: (result: T) => string): Promise<T> {
    const start = performance.now();
    const result = await work();
    const ms = Math.round(performance.now() - start);
    this.say(
      `  ✓ ${name.padEnd(26)} ${String(ms).padStart(6)} ms${note === undefined ? '' : `  ${note(result)}`}`,
    );
    return result;
  }

  say(line: string): void {
    if (!this.#quiet) process.stdout.write(`${line}\n`);
  }

  /** A failure of the twin's own, or of a delivery: always in the log, on the terminal as one line. */
  failure(error: unknown): void {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const line = { level: 'ERROR', timestamp: new Date().toISOString(), name, message, stack };
    appendFileSync(this.#logFile, `${JSON.stringify(line)}\n`);
    if (!this.#quiet) process.stderr.write(`  ! ${name}: ${message.split('\n', 1)[0]}\n`);
  }
}
