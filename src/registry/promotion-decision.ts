import type { ModelManifest } from '../contracts/models.ts';
import { MLFrameworkError } from '../errors.ts';
import { metricTable } from '../ml/metrics/metric-table.ts';

/** The metric that decides for a task when none is named. */
export const decidingMetric = { classification: 'f1_score', regression: 'r2' } as const;

/** By how much a challenger has to be better when nothing else is said, in units of the metric. */
export const defaultImprovementThreshold = 0.01;

/** Differences of floats are compared with this much grace, so that +0.010 counts as 0.01 for every pair of values. */
const grace = 1e-9;

/** A metric without a direction: nothing says whether more of it is better. */
export class UnknownMetricError extends MLFrameworkError {
  constructor(metric: string) {
    super(
      'UNKNOWN_METRIC',
      `${metric} is no metric that versions are compared by; use one of ${Object.keys(metricTable).join(', ')}`,
    );
  }
}

export interface PromotionDecision {
  readonly promote: boolean;
  readonly reason: string;
}

type Metrics = Readonly<Record<string, number>>;

/**
 * Whether a challenger is better than the current version by at least the threshold: an absolute difference, in the
 * direction that is better for the metric. Both must have been measured on the same data.
 * @param current - metrics of the version that serves; without one the challenger wins
 * @throws {UnknownMetricError}
 */
export function shouldPromote(
  challenger: Metrics,
  current: Metrics | undefined,
  options: {
    readonly metricName?: string;
    readonly improvementThreshold?: number;
    /** Named in the reason. */
    readonly currentVersion?: string;
  } = {},
): PromotionDecision {
  const { metricName = 'f1_score', improvementThreshold = defaultImprovementThreshold } = options;
  if (!Object.hasOwn(metricTable, metricName)) throw new UnknownMetricError(metricName);
  if (current === undefined) return { promote: true, reason: 'nothing is deployed yet' };
  const ours = challenger[metricName];
  const theirs = current[metricName];
  if (ours === undefined || theirs === undefined)
    return { promote: false, reason: `${metricName} was not measured for both versions` };
  const isHigherBetter = metricTable[metricName]!.direction === 'higher';
  const improvement = isHigherBetter ? ours - theirs : theirs - ours;
  const of = options.currentVersion === undefined ? '' : ` of champion ${options.currentVersion}`;
  const facts = `${metricName} ${ours.toFixed(6)} against ${theirs.toFixed(6)}${of}`;
  return improvement >= improvementThreshold - grace
    ? { promote: true, reason: `${facts}: better by at least ${improvementThreshold}` }
    : { promote: false, reason: `${facts}: not better by at least ${improvementThreshold}` };
}

/** A version with what it was measured on. */
interface Measured {
  readonly version: string;
  /** Its metrics count: those that a derived version says of itself were not measured here. */
  readonly manifest: ModelManifest;
}

/** Same text, same rows: only then do metrics say which version is better. */
export const holdoutOf = ({ dataset_id, target, task, split }: ModelManifest): string =>
  JSON.stringify([dataset_id, target, task, split?.kind, split?.test_size, split?.random_state]);

/** @returns whether the challenger beats the champion on the same holdout, and why or why not @throws {UnknownMetricError} */
export function promotionDecision(
  challenger: Measured,
  champion: Measured | undefined,
  options: { readonly metricName?: string | undefined; readonly improvementThreshold?: number } = {},
): PromotionDecision {
  const { metricName = decidingMetric[challenger.manifest.task], ...rest } = options;
  if (champion === undefined)
    return shouldPromote(challenger.manifest.metrics, undefined, { metricName, ...rest });
  if (champion.manifest.origin === 'imported') {
    const reason = `champion ${champion.version} was imported, and what was imported has no metrics to compare; deploy by hand if this version is better`;
    return { promote: false, reason };
  }
  if (holdoutOf(challenger.manifest) !== holdoutOf(champion.manifest)) {
    const reason = `champion ${champion.version} was measured on another holdout; deploy by hand if this version is better`;
    return { promote: false, reason };
  }
  return shouldPromote(challenger.manifest.metrics, champion.manifest.metrics, {
    ...{ metricName, currentVersion: champion.version, ...rest },
  });
}
