import type { ClassLabel } from '../contracts/class-label.ts';
import type { ModelManifest } from '../contracts/models.ts';
import type { ModelPerformanceMetrics, ModelPerformanceResponse } from '../contracts/monitoring.ts';
import { classReport } from '../ml/metrics/classification-metrics.ts';
import { regressionMetrics } from '../ml/metrics/regression-metrics.ts';
import type { Feedback } from './feedback.ts';

/** What the verdict is given by. */
export interface PerformanceRule {
  /** Below it a model is degraded, in units of the metric: `f1_score` for classification, `r2` for regression. */
  readonly threshold: number;
  /** With less feedback nothing is said. */
  readonly minSamples: number;
}

const judgedBy = { classification: 'f1_score', regression: 'r2' } as const;

/** @returns how a version does by feedback, against its test metrics and the threshold */
export function performanceOf(
  manifest: ModelManifest,
  version: string,
  feedback: readonly Feedback[],
  { threshold, minSamples }: PerformanceRule,
): ModelPerformanceResponse {
  const metric = judgedBy[manifest.task];
  const live = liveMetrics(manifest.task, feedback);
  const value = live.metrics[metric];
  const about = {
    ...{ model_name: manifest.model_name, model_version: version, task: manifest.task, live, threshold },
    ...{ baseline: manifest.metrics, metric_name: metric },
  };
  if (live.n_samples < minSamples || value === undefined) {
    const reason = `feedback for ${live.n_samples} predictions; ${minSamples} are needed for a verdict`;
    return { ...about, status: 'insufficient_data', reason };
  }
  const isHealthy = value >= threshold;
  const reason = `${metric} ${value.toFixed(4)} is ${isHealthy ? 'at least' : 'below'} ${threshold}`;
  return { ...about, status: isHealthy ? 'healthy' : 'degraded', reason };
}

/** @returns metrics over all of it, and the times of the first and the last prediction */
export function liveMetrics(
  task: ModelManifest['task'],
  feedback: readonly Feedback[],
): ModelPerformanceMetrics {
  if (feedback.length === 0) return { n_samples: 0, metrics: {} };
  const times = feedback.map(({ predictedAt }) => predictedAt).sort();
  return {
    n_samples: feedback.length,
    metrics:
      task === 'regression'
        ? regressionMetrics(
            Float64Array.from(feedback, ({ actual }) => Number(actual)),
            Float64Array.from(feedback, ({ predicted }) => Number(predicted)),
          )
        : labelMetrics(feedback),
    from: times[0]!,
    to: times.at(-1)!,
  };
}

/** As scikit-learn's `average="weighted"`, from labels alone. */
function labelMetrics(feedback: readonly Feedback[]): Record<string, number> {
  const labels = new Map<ClassLabel, number>();
  const indexOf = (label: ClassLabel): number => {
    const known = labels.get(label);
    if (known !== undefined) return known;
    labels.set(label, labels.size);
    return labels.size - 1;
  };
  const yTrue = Int32Array.from(feedback, ({ actual }) => indexOf(actual));
  const yPred = Int32Array.from(feedback, ({ predicted }) => indexOf(predicted));
  const report = classReport(yTrue, yPred, [...labels.keys()]);
  const weighted = (score: 'precision' | 'recall' | 'f1_score') =>
    report.reduce((sum, line) => sum + line[score] * line.support, 0) / feedback.length;
  return {
    accuracy: yTrue.filter((label, row) => label === yPred[row]).length / feedback.length,
    precision: weighted('precision'),
    recall: weighted('recall'),
    f1_score: weighted('f1_score'),
  };
}
