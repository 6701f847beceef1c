import type { Clock } from '../../../clock.ts';

type Outcome = 'ok' | 'refused' | 'error';

const flushAfterMs = 10_000;
/** CloudWatch takes at most 100 values of a metric in one line. */
const maxValues = 100;

/**
 * Durations by outcome, written as a line of CloudWatch's embedded metric format for many calls at once: one line a call
 * would cost more than a prediction. Dimensions are stage and outcome; figures per tenant and model come from elsewhere.
 */
export class RequestFigures {
  readonly #durations: Record<Outcome, number[]> = { ok: [], refused: [], error: [] };
  readonly #stage: string;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #sinceMs: number;

  constructor(options: {
    stage: string;
    namespace: string;
    clock: Clock;
    write?: (line: string) => void;
  }) {
    this.#stage = options.stage;
    this.#namespace = options.namespace;
    this.#clock = options.clock;
    this.#write = options.write ?? ((line) => process.stdout.write(line));
    this.#sinceMs = options.clock.nowMs();
  }

  add(status: number, durationMs: number): void {
    const values = this.#durations[status >= 500 ? 'error' : status >= 400 ? 'refused' : 'ok'];
    values.push(durationMs);
    if (values.length >= maxValues || this.#clock.nowMs() - this.#sinceMs >= flushAfterMs) this.flush();
  }

  /** Figures of the process beside those of calls, in the same form. */
  record(metrics: Readonly<Record<string, { readonly value: number; readonly unit: string }>>): void {
    const entries = Object.entries(metrics);
    this.#line(
      'process',
      entries.map(([name, { value, unit }]) => ({ name, value, unit })),
    );
  }

  flush(): void {
    for (const outcome of ['ok', 'refused', 'error'] as const) {
      const values = this.#durations[outcome];
      if (values.length === 0) continue;
      this.#durations[outcome] = [];
      this.#line(outcome, [{ name: 'predictions_duration', value: values, unit: 'Milliseconds' }]);
    }
    this.#sinceMs = this.#clock.nowMs();
  }

  #line(
    outcome: string,
    values: readonly { readonly name: string; readonly value: number | number[]; readonly unit: string }[],
  ): void {
    const metrics = values.map(({ name, unit }) => ({ Name: name, Unit: unit }));
    this.#write(
      `${JSON.stringify({
        _aws: {
          Timestamp: this.#clock.nowMs(),
          CloudWatchMetrics: [
            { Namespace: this.#namespace, Dimensions: [['stage', 'outcome']], Metrics: metrics },
          ],
        },
        stage: this.#stage,
        outcome,
        ...Object.fromEntries(values.map(({ name, value }) => [name, value])),
      })}\n`,
    );
  }
}
