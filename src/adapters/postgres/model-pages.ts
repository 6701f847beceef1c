/** Reads of models and versions for lists: without manifests, which may hold hundreds of kilobytes each. */
import type { Fragment, TransactionSql } from 'postgres';
import type { ModelDetail, ModelStage, ModelSummary, ModelVersion } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { ModelFilter } from '../../registry/model-registry.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { servingEnvironments } from './registry-environments.ts';
import { existingModel, type ModelRow } from './registry-rows.ts';
import { modelVersionOf, type VersionRow } from './version-row.ts';

interface PageOf {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const versionColumns = (sql: TransactionSql): Fragment => sql`
  model_name, version, mlflow_version, build_id, stage, task, algorithm, origin, framework, metrics, artifact_sha256,
  artifact_bytes, dataset_id, job_id, derived_from, description, notes, tags, created_by, created_at, updated_at`;

const maxShownVersions = 100;
const modelNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** By name. */
export async function modelPage(sql: TransactionSql, { limit, cursor, ...filter }: PageOf & ModelFilter) {
  const after = cursor === undefined ? '' : decodeCursor(cursor, modelNamePattern);
  const models = await sql<(ModelRow & { n_versions: number })[]>`
    SELECT m.*, (SELECT count(*)::int FROM ml_model_versions v WHERE v.model_name = m.model_name) AS n_versions
    FROM ml_models m WHERE m.model_name > ${after} ${modelConditions(sql, filter)}
    ORDER BY m.model_name LIMIT ${limit + 1}`;
  const page = models.slice(0, limit);
  const shown = await shownVersions(sql, page);
  const items = page.map((model) => summaryOf(model, shown.get(model.model_name) ?? []));
  return models.length > limit ? { items, nextCursor: encodeCursor(page.at(-1)!.model_name) } : { items };
}

export async function modelDetail(
  sql: TransactionSql,
  name: ModelName,
): Promise<ModelDetail & { readonly rowVersion: number }> {
  const model = await existingModel(sql, name);
  const [count] = await sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM ml_model_versions WHERE model_name = ${name}`;
  const rows = await sql<VersionRow[]>`
    SELECT ${versionColumns(sql)} FROM ml_model_versions WHERE model_name = ${name}
    ORDER BY mlflow_version DESC LIMIT ${maxShownVersions}`;
  const champion = rows.some(({ version }) => version === model.champion_version)
    ? []
    : ((await shownVersions(sql, [model])).get(name) ?? []);
  return {
    ...summaryOf({ ...model, n_versions: count!.n }, [...rows, ...champion]),
    ...besideChampion(model),
    environments: (await servingEnvironments(sql, model)).map(({ environment, version }) => ({
      ...{ environment, model_version: version },
    })),
    versions: rows.map((row) => modelVersionOf(row, model.champion_version)),
    rowVersion: Number(model.row_version),
  };
}

export const besideChampion = ({ canary_version, canary_weight, shadow_version }: ModelRow) => ({
  ...(canary_version === null ? {} : { canary: { version: canary_version, weight: canary_weight! } }),
  ...(shadow_version === null ? {} : { shadow: { version: shadow_version } }),
});

/** Newest first. */
export async function versionPage(
  sql: TransactionSql,
  name: ModelName,
  { limit, cursor, stage }: PageOf & { readonly stage?: ModelStage | undefined },
): Promise<{ items: ModelVersion[]; nextCursor?: string }> {
  const model = await existingModel(sql, name);
  const before = cursor === undefined ? 2 ** 31 - 1 : Number(decodeCursor(cursor, /^[1-9]\d{0,8}$/));
  const rows = await sql<VersionRow[]>`
    SELECT ${versionColumns(sql)} FROM ml_model_versions
    WHERE model_name = ${name} AND mlflow_version < ${before} ${stage === undefined ? sql`` : sql`AND stage = ${stage}`}
    ORDER BY mlflow_version DESC LIMIT ${limit + 1}`;
  const page = rows.slice(0, limit);
  const items = page.map((row) => modelVersionOf(row, model.champion_version));
  return rows.length > limit
    ? { items, nextCursor: encodeCursor(String(page.at(-1)!.mlflow_version)) }
    : { items };
}

function modelConditions(sql: TransactionSql, filter: ModelFilter): Fragment {
  const { search, archived = false, stage, task, algorithm, framework, tag } = filter;
  const [tagName, tagValue] = tag === undefined ? [] : splitTag(tag);
  // Letters of LIKE's own are letters here.
  const pattern = search === undefined ? '' : `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const ofVersion = [
    stage === undefined ? undefined : sql`AND v.stage = ${stage}`,
    task === undefined ? undefined : sql`AND v.task = ${task}`,
    algorithm === undefined ? undefined : sql`AND v.algorithm = ${algorithm}`,
    framework === undefined ? undefined : sql`AND v.framework = ${framework}`,
  ].filter((condition) => condition !== undefined);
  const all = [
    sql`AND m.deleted_at IS NULL AND (m.archived_at IS NOT NULL) = ${archived}`,
    ...(search === undefined ? [] : [sql`AND m.model_name ILIKE ${pattern}`]),
    ...(tagName === undefined
      ? []
      : [
          tagValue === undefined
            ? sql`AND m.tags ? ${tagName}`
            : sql`AND m.tags @> ${sql.json({ [tagName]: tagValue })}`,
        ]),
    ...(ofVersion.length === 0
      ? []
      : [
          sql`AND EXISTS (SELECT FROM ml_model_versions v WHERE v.model_name = m.model_name ${ofVersion.reduce(
            (before, one) => sql`${before} ${one}`,
          )})`,
        ]),
  ];
  return all.reduce((before, one) => sql`${before} ${one}`);
}

const splitTag = (tag: string): [name: string, value?: string] => {
  const at = tag.indexOf('=');
  return at < 0 ? [tag] : [tag.slice(0, at), tag.slice(at + 1)];
};

/** Of each model the newest version and the champion, in this order. */
async function shownVersions(
  sql: TransactionSql,
  models: readonly ModelRow[],
): Promise<Map<string, VersionRow[]>> {
  const byName = new Map<string, VersionRow[]>(models.map(({ model_name }) => [model_name, []]));
  if (models.length === 0) return byName;
  const rows = await sql<VersionRow[]>`
    SELECT ${versionColumns(sql)} FROM unnest(${models.map(({ model_name }) => model_name)}::text[]) AS shown (name)
    CROSS JOIN LATERAL (
      SELECT v.* FROM ml_model_versions v WHERE v.model_name = shown.name ORDER BY v.mlflow_version DESC LIMIT 1
    ) newest
    UNION ALL
    SELECT ${versionColumns(sql)} FROM unnest(${models.map(({ model_name }) => model_name)}::text[],
      ${models.map(({ champion_version }) => champion_version)}::text[]) AS shown (name, champion)
    CROSS JOIN LATERAL (
      SELECT v.* FROM ml_model_versions v WHERE v.model_name = shown.name AND v.version = shown.champion
    ) champion`;
  for (const row of rows) byName.get(row.model_name)!.push(row);
  return byName;
}

const aboutShown = ({ origin, task, algorithm, framework, metrics }: ModelVersion) => ({
  ...{ origin, task, metrics },
  ...(algorithm === undefined ? {} : { algorithm }),
  ...(framework === undefined ? {} : { framework }),
});

/** @param versions - the newest first; the champion among them */
function summaryOf(
  model: ModelRow & { readonly n_versions: number },
  versions: readonly VersionRow[],
): ModelSummary {
  const name = model.model_name as ModelName;
  const shown = versions.find(({ version }) => version === model.champion_version) ?? versions[0];
  return {
    model_name: name,
    model_id: name,
    ...(model.champion_version === null ? {} : { champion_version: model.champion_version }),
    ...(versions[0] === undefined ? {} : { latest_version: versions[0].version }),
    n_versions: model.n_versions,
    ...(shown === undefined ? {} : aboutShown(modelVersionOf(shown, null))),
    ...{ description: model.description, notes: model.notes, tags: model.tags },
    archived: model.archived_at !== null,
    created_at: model.created_at.toISOString(),
    updated_at: model.updated_at.toISOString(),
  };
}
