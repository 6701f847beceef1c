import type { ModelName } from '../../contracts/names.ts';
import type { ShadowReport } from '../../contracts/prediction.ts';
import type { LogRecord } from './log-record.ts';

/** Compares what a version and its shadow gave for the same inputs, for each pair of versions in the records. */
export function shadowReport(model: ModelName, records: readonly LogRecord[]): ShadowReport {
  const pairs = new Map<string, LogRecord[]>();
  for (const record of records) {
    if (record.shadow === undefined) continue;
    const pair = `${record.model_version} ${record.shadow.model_version}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), record]);
  }
  return { model_name: model, comparisons: [...pairs.values()].map(comparisonOf) };
}

function comparisonOf(records: readonly LogRecord[]): ShadowReport['comparisons'][number] {
  const scored = records.filter(({ shadow }) => shadow!.failed !== true);
  const differences = scored.flatMap(differencesOf);
  const isClassified = scored.some(
    ({ prediction, probabilities }) => probabilities !== undefined || typeof prediction !== 'number',
  );
  const nEqual = scored.filter(({ prediction, shadow }) => prediction === shadow!.prediction).length;
  return {
    model_version: records[0]!.model_version,
    shadow_version: records[0]!.shadow!.model_version,
    n: scored.length,
    n_failed: records.length - scored.length,
    ...(isClassified ? { agreement: nEqual / scored.length } : {}),
    mean_absolute_difference:
      differences.length === 0 ? 0 : differences.reduce((sum, one) => sum + one, 0) / differences.length,
    max_absolute_difference: differences.reduce((most, one) => Math.max(most, one), 0),
  };
}

/** Labels, and probabilities of other classes, have no difference. */
function differencesOf({ prediction, probabilities, shadow }: LogRecord): number[] {
  if (probabilities === undefined) {
    const other = shadow!.prediction;
    return typeof prediction === 'number' && typeof other === 'number' ? [Math.abs(prediction - other)] : [];
  }
  const others = shadow!.probabilities ?? [];
  return others.length === probabilities.length
    ? probabilities.map((value, k) => Math.abs(value - others[k]!))
    : [];
}
