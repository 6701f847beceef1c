/** Direction and range of every metric: what promotion compares with. */
export interface MetricProperties {
  readonly direction: 'higher' | 'lower';
  readonly min?: number;
  readonly max?: number;
}

const share: MetricProperties = { direction: 'higher', min: 0, max: 1 };
const loss: MetricProperties = { direction: 'lower', min: 0 };

export const metricTable: Readonly<Record<string, MetricProperties>> = {
  accuracy: share,
  precision: share,
  recall: share,
  f1_score: share,
  precision_macro: share,
  recall_macro: share,
  f1_macro: share,
  roc_auc: share,
  average_precision: share,
  log_loss: loss,
  rmse: loss,
  mae: loss,
  mape: loss,
  r2: { direction: 'higher', max: 1 },
  smape: { direction: 'lower', min: 0, max: 2 },
  mase: loss,
  silhouette: { direction: 'higher', min: -1, max: 1 },
  inertia: loss,
  davies_bouldin: loss,
  /** A count, not a quality; more evidence is better. */
  n_samples: { direction: 'higher', min: 0 },
};
