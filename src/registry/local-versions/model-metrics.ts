import { checkMetrics } from '../registered-metrics.ts';

/** What was measured of a version: every metric is finite, and within the range of its definition. Immutable. */
export class ModelMetrics {
  /** By name, such as `f1_score`. */
  readonly values: Readonly<Record<string, number>>;

  /** @throws {ValidationError} METRIC_OUT_OF_RANGE, when an accuracy is 1.2 */
  constructor(values: Readonly<Record<string, number>> = {}) {
    checkMetrics(values);
    this.values = Object.freeze({ ...values });
  }

  get(name: string): number | undefined {
    return Object.hasOwn(this.values, name) ? this.values[name] : undefined;
  }

  toJSON(): Readonly<Record<string, number>> {
    return this.values;
  }
}
