import type { Task } from '../contracts/training.ts';
import type { Feedback } from './feedback.ts';
import { liveMetrics } from './performance.ts';

/** How a version did on the predictions of one day, UTC, by the feedback for them. */
export interface DailyPerformance {
  /** RFC 3339, the midnight at which the day begins. */
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly nSamples: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const dayMs = 24 * 60 * 60 * 1000;

/** @returns a window for each day that has feedback, oldest first */
export function dailyPerformance(task: Task, feedback: readonly Feedback[]): DailyPerformance[] {
  const days = Map.groupBy(feedback, ({ predictedAt }) => predictedAt.slice(0, 10));
  return [...days.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, ofDay]) => {
      const startMs = Date.parse(`${day}T00:00:00Z`);
      const { n_samples, metrics } = liveMetrics(task, ofDay);
      return {
        windowStart: new Date(startMs).toISOString(),
        windowEnd: new Date(startMs + dayMs).toISOString(),
        ...{ nSamples: n_samples, metrics },
      };
    });
}
