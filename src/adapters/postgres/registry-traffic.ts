/** What stands beside the champion: canary, shadow, other environments, and settings. */
import type { TransactionSql } from 'postgres';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingVersion, Traffic } from '../../registry/model-registry.ts';
import { environmentRows } from './registry-environments.ts';
import { existingVersion, type ModelRow } from './registry-rows.ts';
import { artifactOf } from './version-row.ts';

/** Ends the part that a version has beside the champion. @returns the model as it is then */
export async function withoutTraffic(
  sql: TransactionSql,
  model: ModelRow,
  version: string,
  only?: 'canary',
): Promise<ModelRow> {
  const endsCanary = model.canary_version === version;
  const endsShadow = only === undefined && model.shadow_version === version;
  if (!endsCanary && !endsShadow) return model;
  const [changed] = await sql<ModelRow[]>`
    UPDATE ml_models SET
      canary_version = ${endsCanary ? null : model.canary_version},
      canary_weight = ${endsCanary ? null : model.canary_weight},
      shadow_version = ${endsShadow ? null : model.shadow_version}
    WHERE model_name = ${model.model_name} RETURNING *`;
  return changed!;
}

/** @returns the model without canary and shadow */
export async function withoutAnyTraffic(sql: TransactionSql, model: ModelRow): Promise<ModelRow> {
  const [changed] = await sql<ModelRow[]>`
    UPDATE ml_models SET canary_version = NULL, canary_weight = NULL, shadow_version = NULL
    WHERE model_name = ${model.model_name} RETURNING *`;
  return changed!;
}

export async function trafficOf(sql: TransactionSql, model: ModelRow): Promise<Traffic> {
  const name = model.model_name as ModelName;
  const find = async (version: string | null): Promise<ServingVersion | undefined> => {
    if (version === null) return undefined;
    const row = await existingVersion(sql, name, version);
    return { version: row.version, ...artifactOf(row) };
  };
  const canary = await find(model.canary_version);
  const environments: Traffic['environments'][number][] = [];
  for (const { environment, version } of await environmentRows(sql, model))
    environments.push({ environment, version: await find(version) });
  return {
    environments,
    canary: canary && { ...canary, weight: model.canary_weight! },
    shadow: await find(model.shadow_version),
    settings: model.serving_settings,
  };
}
