/** The processes that are measured: one of ours and one of the peers per number of threads, and cold ones for memory. */
import { join } from 'node:path';
import type { PipelineSpec } from '../src/ml/pipeline.ts';
import { JsonLinesProcess } from './json-lines-process.ts';
import type { OursQuestion } from './ours.ts';

/** Something that loads a set, fits and says how long it took. */
export interface Subject {
  load(folder: string): Promise<void>;
  /** Fits once, unmeasured, and gives the metric on the test rows. */
  score(): Promise<number>;
  fitSeconds(): Promise<number>;
  /** Peak resident bytes during a fit over those before it. */
  memoryBytes(): Promise<number>;
}

export class OurProcess {
  readonly #process: JsonLinesProcess;
  /** What the fits really have. */
  fitThreads = 0;

  constructor(threads: number) {
    this.#process = new JsonLinesProcess(process.execPath, [
      '--expose-gc',
      join(import.meta.dirname, 'ours.ts'),
      String(threads),
    ]);
  }

  subject(spec: PipelineSpec): Subject {
    const ask = <Answer>(question: OursQuestion) => this.#process.ask<Answer>({ ...question });
    return {
      load: async (folder) => {
        const answer = await ask<{ threads: number }>({
          command: 'load',
          tableFile: join(folder, 'table.bin'),
        });
        this.fitThreads = answer.threads;
      },
      score: async () => (await ask<{ metric: number }>({ command: 'score', spec })).metric,
      fitSeconds: async () => (await ask<{ seconds: number }>({ command: 'fit', spec })).seconds,
      memoryBytes: async () => (await ask<{ bytes: number }>({ command: 'memory', spec })).bytes,
    };
  }

  end(): void {
    this.#process.end();
  }
}

export class PeerProcess {
  readonly #process: JsonLinesProcess;

  constructor(python: string, threads: number) {
    const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'LOKY_MAX_CPU_COUNT'];
    this.#process = new JsonLinesProcess(
      python,
      [join(import.meta.dirname, 'peers.py'), String(threads)],
      Object.fromEntries(names.map((name) => [name, String(threads)])),
    );
  }

  async versions(): Promise<Record<string, string>> {
    return (await this.#process.ask<{ versions: Record<string, string> }>({ command: 'available' })).versions;
  }

  /** Milliseconds of XGBoost's exact TreeSHAP for one row, and for many in one call. */
  async explain(
    settings: Readonly<Record<string, number>>,
    rows: number,
  ): Promise<{ one: number; many: number }> {
    return await this.#process.ask({ command: 'explain', settings, rows });
  }

  subject(peer: string, settings: Readonly<Record<string, number>>): Subject {
    const ask = <Answer>(question: Record<string, unknown>) =>
      this.#process.ask<Answer>({ peer, settings, ...question });
    return {
      load: async (folder) => {
        await ask({ command: 'load', folder });
      },
      score: async () => (await ask<{ metric: number }>({ command: 'score' })).metric,
      fitSeconds: async () => (await ask<{ seconds: number }>({ command: 'fit' })).seconds,
      memoryBytes: async () => (await ask<{ bytes: number }>({ command: 'memory' })).bytes,
    };
  }

  end(): void {
    this.#process.end();
  }
}

/** The first Python that has scikit-learn, and what it has. */
export async function findPython(): Promise<
  { python: string; versions: Record<string, string> } | undefined
> {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const peer = new PeerProcess(python, 1);
    try {
      return { python, versions: await peer.versions() };
    } catch {
      // The next one may have it.
    } finally {
      peer.end();
    }
  }
  return undefined;
}
