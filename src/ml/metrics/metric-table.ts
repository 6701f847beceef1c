/** Direction, range and tasks of every metric: what promotion, selection and displays compare with. */
export type MetricTask = 'classification' | 'regression' | 'clustering' | 'forecasting';

export interface MetricProperties {
  readonly direction: 'higher' | 'lower';
  readonly min?: number;
  readonly max?: number;
  readonly tasks: readonly MetricTask[];
}

const classification = ['classification'] as const;
const regression = ['regression'] as const;
const clustering = ['clustering'] as const;

const share: MetricProperties = { direction: 'higher', min: 0, max: 1, tasks: classification };
const agreement: MetricProperties = { direction: 'higher', min: -1, max: 1, tasks: classification };
const loss: MetricProperties = { direction: 'lower', min: 0, tasks: regression };

export const metricTable: Readonly<Record<string, MetricProperties>> = {
  accuracy: share,
  balanced_accuracy: share,
  precision: share,
  recall: share,
  f1_score: share,
  precision_macro: share,
  recall_macro: share,
  f1_macro: share,
  roc_auc: share,
  roc_auc_macro: share,
  average_precision: share,
  top_k_accuracy: share,
  matthews_corrcoef: agreement,
  cohen_kappa: agreement,
  log_loss: { direction: 'lower', min: 0, tasks: classification },
  brier_score: { direction: 'lower', min: 0, max: 2, tasks: classification },
  rmse: loss,
  mse: loss,
  mae: loss,
  median_absolute_error: loss,
  mape: loss,
  max_error: loss,
  mean_pinball_loss: loss,
  mean_poisson_deviance: loss,
  r2: { direction: 'higher', max: 1, tasks: regression },
  explained_variance: { direction: 'higher', max: 1, tasks: regression },
  smape: { direction: 'lower', min: 0, max: 2, tasks: ['regression', 'forecasting'] },
  mase: { direction: 'lower', min: 0, tasks: ['forecasting'] },
  silhouette: { direction: 'higher', min: -1, max: 1, tasks: clustering },
  inertia: { direction: 'lower', min: 0, tasks: clustering },
  davies_bouldin: { direction: 'lower', min: 0, tasks: clustering },
  /** A count, not a quality; more evidence is better. */
  n_samples: {
    direction: 'higher',
    min: 0,
    tasks: ['classification', 'regression', 'clustering', 'forecasting'],
  },
};

/** Positive when `a` is better than `b` under the metric, 0 for equal ones. */
export function improvement(metric: string, a: number, b: number): number {
  return metricTable[metric]!.direction === 'higher' ? a - b : b - a;
}
