import type { Clock } from '../../src/clock.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number;

  constructor(at: string | number = '2026-01-31T12:00:00.000Z') {
    this.#nowMs = typeof at === 'number' ? at : Date.parse(at);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
