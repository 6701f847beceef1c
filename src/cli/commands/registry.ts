import { readFileSync, writeFileSync } from 'node:fs';
import type { HttpClient } from '../../client/http-client.ts';
import type { Environment, TrialEnvironment } from '../../contracts/environment-names.ts';
import type {
  AuditEntry,
  DeploymentList,
  Lineage,
  RegistryExport,
  VersionComparison,
} from '../../contracts/registry.ts';
import { bold, type Output, print, printJson, table } from '../output.ts';

const named = (name: string) => ({ model_name: name as never });
const versioned = (name: string, model_version: string) => ({ ...named(name), model_version });
const figure = (value: number | undefined): string => (value === undefined ? '-' : value.toPrecision(6));

export async function moveStage(
  client: HttpClient,
  [name, version, stage]: readonly [string, string, string],
  options: Output & { force: boolean; reason?: string },
): Promise<void> {
  const { force, reason = '' } = options;
  const moved = await client.call('transitionStage', {
    ...{ params: versioned(name, version), body: { stage: stage as never, force, reason } },
  });
  if (options.json) return printJson(moved);
  print(`${bold(`${name} ${moved.version}`)} is in ${moved.stage}${force ? ' (forced, recorded)' : ''}`);
}

export async function setAlias(
  client: HttpClient,
  [name, alias, version]: readonly [string, string, string | undefined],
  options: Output & { remove: boolean },
): Promise<void> {
  const params = { ...named(name), alias: alias as never };
  if (options.remove) await client.call('removeAlias', { params });
  else if (version !== undefined) await client.call('setAlias', { params, body: { version } });
  const { items } = await client.call('listAliases', { params: named(name) });
  if (options.json) return printJson(items);
  print(
    table(
      ['alias', 'version'],
      items.map((one) => [one.alias, one.version]),
    ),
  );
}

export async function rollBack(
  client: HttpClient,
  name: string,
  options: Output & { to?: string; reason?: string },
): Promise<void> {
  const { to, reason = '' } = options;
  const body = { reason, ...(to === undefined ? {} : { to_version: to }) };
  const result = await client.call('rollback', { params: named(name), body });
  if (options.json) return printJson(result);
  print(
    `${bold(`${name} ${result.model_version}`)} is deployed again, ${result.reason} (revision ${result.revision})`,
  );
}

export async function showEnvironments(client: HttpClient, name: string, options: Output): Promise<void> {
  const { items } = await client.call('listEnvironments', { params: named(name) });
  if (options.json) return printJson(items);
  print(
    table(
      ['environment', 'version', 'since', 'by'],
      items.map((one) => [
        ...[one.environment, one.model_version ?? '-', one.deployed_at?.slice(0, 19) ?? '', one.actor ?? ''],
      ]),
    ),
  );
}

export async function withdraw(
  client: HttpClient,
  [name, environment]: readonly [string, TrialEnvironment],
  options: Output,
): Promise<void> {
  const change = await client.call('deleteEnvironment', { params: { ...named(name), environment } });
  if (options.json) return printJson(change);
  print(`${bold(name)}: ${environment} serves nothing any more (it was ${change.previous_version})`);
}

export async function promote(
  client: HttpClient,
  [name, version]: readonly [string, string],
  options: Output & { metric?: string; threshold: string; force: boolean; reason?: string },
): Promise<void> {
  const { metric, threshold, force, reason = '' } = options;
  const result = await client.call('promote', {
    params: named(name),
    body: {
      ...{ version, force, reason, improvement_threshold: Number(threshold) },
      ...(metric === undefined ? {} : { metric_name: metric }),
    },
  });
  if (options.json) return printJson(result);
  print(`${bold(`${name} ${result.model_version}`)} is ${result.decision}: ${result.reason}`);
}

export async function showHistory(
  client: HttpClient,
  name: string,
  options: Output & { at?: string; environment?: Environment; limit: string },
): Promise<void> {
  const { at: time, environment } = options;
  const query = {
    limit: Number(options.limit),
    ...(time === undefined ? {} : { at: time }),
    ...(environment === undefined ? {} : { environment }),
  };
  const history = (await client.call('listDeployments', { params: named(name), query })) as DeploymentList;
  if (options.json) return printJson(history);
  if (history.production_at !== undefined) {
    const { at, model_version } = history.production_at;
    print(`Production at ${at}: ${model_version ?? 'nothing'}\n`);
  }
  print(
    table(
      ['revision', 'when', 'environment', 'what', 'version', 'before', 'by', 'reason'],
      history.items.map((one) => [
        ...[one.revision, one.deployed_at.slice(0, 19), one.environment],
        ...[`${one.action}${one.forced ? ' (forced)' : ''}`],
        ...[one.model_version ?? '-', one.previous_version ?? '-', one.actor, one.reason],
      ]),
    ),
  );
}

export async function compare(
  client: HttpClient,
  [name, a, b]: readonly [string, string, string],
  options: Output,
): Promise<void> {
  const found = (await client.call('compareVersions', {
    ...{ params: named(name), query: { a, b } },
  })) as VersionComparison;
  if (options.json) return printJson(found);
  print(
    table(
      ['metric', found.a, found.b, 'better'],
      found.metrics.map((one) => [
        ...[one.name, figure(one.a), figure(one.b)],
        one.better === undefined ? '' : { a: found.a, b: found.b, same: '=' }[one.better],
      ]),
    ),
  );
  for (const one of found.hyperparameters)
    print(`${one.name}: ${JSON.stringify(one.a)} -> ${JSON.stringify(one.b)}`);
  for (const { name: feature } of found.features.added) print(`+ feature ${feature}`);
  for (const { name: feature } of found.features.removed) print(`- feature ${feature}`);
  print(`${found.should_promote.promote ? 'promote' : 'keep'}: ${found.should_promote.reason}`);
}

export async function showLineage(client: HttpClient, name: string, options: Output): Promise<void> {
  const graph = (await client.call('getLineage', { params: named(name), query: {} })) as Lineage;
  if (options.json) return printJson(graph);
  print(
    table(
      ['from', '', 'to'],
      graph.edges.map(({ from, relation, to }) => [shortId(from), relation, shortId(to)]),
    ),
  );
}

const shortId = (id: string): string => (id.startsWith('dataset:') ? id.slice(0, 20) : id);

export async function showCard(
  client: HttpClient,
  [name, version]: readonly [string, string],
  options: Output,
): Promise<void> {
  const params = versioned(name, version);
  if (options.json) return printJson(await client.call('getModelCard', { params, query: {} }));
  print(await client.text('getModelCard', { params, query: { format: 'markdown' } }));
}

export async function archiveOld(
  client: HttpClient,
  name: string,
  options: Output & { keep: string },
): Promise<void> {
  const body = { keep_latest: Number(options.keep) };
  const { archived, kept } = await client.call('archiveOldVersions', { params: named(name), body });
  if (options.json) return printJson({ archived, kept });
  print(`archived ${archived.join(', ') || 'nothing'}; kept ${kept.join(', ')}`);
}

/** Everything but bytes, in one file. */
export async function exportRegistry(
  client: HttpClient,
  options: Output & { output: string },
): Promise<void> {
  let document: RegistryExport | undefined;
  let cursor: string | undefined;
  do {
    const page = (await client.call('exportRegistry', { query: { limit: 20, cursor } })) as RegistryExport;
    const models = [...(document?.models ?? []), ...page.models];
    cursor = page.next_cursor;
    const { next_cursor: _, ...rest } = page;
    document = { ...rest, models };
  } while (cursor !== undefined);
  writeFileSync(options.output, `${JSON.stringify(document, null, 2)}\n`);
  if (options.json) return printJson({ models: document.models.length, file: options.output });
  print(`${document.models.length} models are in ${options.output}`);
}

/** Model by model: a document may be larger than one request. */
export async function importRegistry(client: HttpClient, file: string, options: Output): Promise<void> {
  const document = JSON.parse(readFileSync(file, 'utf8')) as RegistryExport;
  const total = { models_created: 0, versions_created: 0, skipped: 0, without_bytes: 0 };
  for (const model of document.models) {
    const result = await client.call('importRegistry', { body: { ...document, models: [model] } as never });
    total.models_created += result.models_created;
    total.versions_created += result.versions_created;
    total.skipped += result.versions_skipped.length;
    total.without_bytes += result.versions_without_bytes.length;
  }
  if (options.json) return printJson(total);
  print(
    `${total.models_created} models and ${total.versions_created} versions are new, ${total.skipped} were there; ${total.without_bytes} have no bytes here and cannot be deployed`,
  );
}

/** With --json one entry a line, all of them: an export. */
export async function showAudit(
  client: HttpClient,
  options: Output & {
    subject?: string;
    actor?: string;
    action?: string;
    from?: string;
    to?: string;
    limit: string;
  },
): Promise<void> {
  const { subject, actor, action, from, to } = options;
  const filter = Object.fromEntries(
    Object.entries({ subject, actor, action, from, to }).filter(([, value]) => value !== undefined),
  );
  const wanted = options.json ? Number.POSITIVE_INFINITY : Number(options.limit);
  const items: AuditEntry[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(1_000, wanted - items.length);
    const page = await client.call('listAudit', { query: { ...filter, limit, cursor } });
    if (options.json) for (const entry of page.items) printJson(entry);
    else items.push(...(page.items as AuditEntry[]));
    cursor = page.next_cursor;
  } while (cursor !== undefined && items.length < wanted);
  if (options.json) return;
  print(
    table(
      ['when', 'who', 'what', 'subject', 'request'],
      items.map((one) => [one.at.slice(0, 19), one.actor, one.action, one.subject, one.request_id]),
    ),
  );
}
