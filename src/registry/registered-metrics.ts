import { ValidationError } from '../errors.ts';
import { metricTable } from '../ml/metrics/metric-table.ts';

/** A metric outside of the range that its definition allows was not measured, but made up or mixed up. */
export class MetricOutOfRangeError extends ValidationError {
  constructor(metric: string, value: number, range: string) {
    super(`metric ${metric}=${value} must be ${range}; check what it was computed from`, {
      code: 'METRIC_OUT_OF_RANGE',
      errors: [{ pointer: `/metrics/${metric}`, detail: `must be ${range}` }],
    });
  }
}

/** Sums of floats may end a little beyond a bound. */
const rounding = 1e-9;

/** Metrics of other names are kept as they are: only their finiteness can be known. @throws {MetricOutOfRangeError} */
export function checkMetrics(metrics: Readonly<Record<string, number>>): void {
  for (const [metric, value] of Object.entries(metrics)) {
    if (!Number.isFinite(value)) throw new MetricOutOfRangeError(metric, value, 'a finite number');
    const known = Object.hasOwn(metricTable, metric) ? metricTable[metric] : undefined;
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = known ?? {};
    if (value >= min - rounding && value <= max + rounding) continue;
    const range = [
      ...(Number.isFinite(min) ? [`at least ${min}`] : []),
      ...(Number.isFinite(max) ? [`at most ${max}`] : []),
    ].join(' and ');
    throw new MetricOutOfRangeError(metric, value, range);
  }
}
