import type { FeatureSpec, MLModelMetadata } from '../contracts/models.ts';
import type { VersionComparison } from '../contracts/registry.ts';
import { improvement, metricTable } from '../ml/metrics/metric-table.ts';
import { holdoutOf, promotionDecision } from './promotion-decision.ts';
import { compareVersions, schemaHash } from './semantic-version.ts';

/** @returns what differs between two versions of one model, and whether `b` should take the place of `a` */
export function compareModelVersions(
  a: MLModelMetadata,
  b: MLModelMetadata,
  options: { readonly metricName?: string | undefined; readonly improvementThreshold?: number } = {},
): VersionComparison {
  const order = compareVersions(a.version, b.version);
  return {
    model_name: a.model_name,
    ...{ a: a.version, b: b.version, newer: order === 0 ? 'same' : order < 0 ? 'b' : 'a' },
    same_bytes: a.sha256 === b.sha256,
    same_data: a.dataset_id !== undefined && a.dataset_id === b.dataset_id,
    same_holdout: holdoutOf(a.manifest) === holdoutOf(b.manifest) && a.dataset_id !== undefined,
    same_schema: schemaHash(a.manifest) === schemaHash(b.manifest),
    metrics: metricsOf(a.metrics, b.metrics),
    hyperparameters: differences(a.manifest.hyperparameters ?? {}, b.manifest.hyperparameters ?? {}),
    features: featuresOf(a.manifest.features, b.manifest.features),
    should_promote: promotionDecision(b, a, options),
  };
}

function metricsOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): VersionComparison['metrics'] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => {
    const [of, other] = [a[name], b[name]];
    if (of === undefined || other === undefined)
      return { name, ...(of === undefined ? {} : { a: of }), ...(other === undefined ? {} : { b: other }) };
    const facts = { name, a: of, b: other, difference: other - of };
    if (!Object.hasOwn(metricTable, name)) return facts;
    const better = improvement(name, other, of);
    return { ...facts, better: better > 0 ? 'b' : better < 0 ? 'a' : 'same' };
  });
}

function differences(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): { name: string; a: unknown; b: unknown }[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
    .map((name) => ({ name, a: a[name] ?? null, b: b[name] ?? null }));
}

function featuresOf(a: readonly FeatureSpec[], b: readonly FeatureSpec[]): VersionComparison['features'] {
  const [before, after] = [a, b].map((features) => new Map(features.map((one) => [one.name, one]))) as [
    Map<string, FeatureSpec>,
    Map<string, FeatureSpec>,
  ];
  return {
    added: b.filter(({ name }) => !before.has(name)),
    removed: a.filter(({ name }) => !after.has(name)),
    changed: a
      .filter(({ name, type }) => after.has(name) && after.get(name)!.type !== type)
      .map(({ name, type }) => ({ name, a: type, b: after.get(name)!.type })),
  };
}
