import { allPages } from '../../client/all-pages.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { Environment } from '../../contracts/environment-names.ts';
import type { ModelDetail, ModelSummary } from '../../contracts/models.ts';
import { UsageError } from '../exit-code.ts';
import { bold, type Output, print, printJson, table } from '../output.ts';

/** The figure that people look at first. */
const headline = (metrics: Readonly<Record<string, number>> | undefined): string => {
  const name = ['roc_auc', 'accuracy', 'r2', 'rmse'].find((metric) => metrics?.[metric] !== undefined);
  return name === undefined ? '' : `${name} ${metrics![name]!.toFixed(4)}`;
};

/** What stands where a trained version has its algorithm. */
const importedFrom = ({ framework, origin }: Pick<ModelSummary, 'framework' | 'origin'>) =>
  origin === 'imported' ? `imported (${framework ?? 'onnx'})` : undefined;

export async function listModels(client: HttpClient, options: Output): Promise<void> {
  const items = await allPages<ModelSummary>((cursor) =>
    client.call('listModels', { query: { limit: 100, cursor } }),
  );
  if (options.json) return printJson(items);
  if (items.length === 0)
    return print('no models yet; tenantml train FILE --name NAME --target COLUMN makes one');
  print(
    table(
      ['model', 'champion', 'newest', 'versions', 'algorithm', 'metric', 'updated'],
      items.map((model) => [
        model.model_name,
        model.champion_version ?? '-',
        model.latest_version ?? '-',
        model.n_versions,
        model.algorithm ?? importedFrom(model),
        headline(model.metrics),
        model.updated_at.slice(0, 19),
      ]),
    ),
  );
}

export async function showModel(client: HttpClient, name: string, options: Output): Promise<void> {
  const model = (await client.call('getModel', { params: { model_name: name as never } })) as ModelDetail;
  if (options.json) return printJson(model);
  const uses = model.versions.map(({ version }) => usesOf(model, version));
  const areUsed = uses.some((use) => use !== '');
  print(bold(model.model_name));
  print(
    table(
      [
        ...['', 'version', 'stage', ...(areUsed ? ['beside it'] : [])],
        ...['algorithm', 'metric', 'bytes', 'created', 'build'],
      ],
      model.versions.map((version, i) => [
        version.champion ? '*' : '',
        version.version,
        version.stage,
        ...(areUsed ? [uses[i]] : []),
        version.algorithm ?? importedFrom(version),
        headline(version.metrics),
        version.artifact_bytes,
        version.created_at.slice(0, 19),
        version.build_id,
      ]),
    ),
  );
}

/** What a version does beside serving production. */
const usesOf = ({ canary, shadow, environments }: ModelDetail, version: string): string =>
  [
    ...(canary?.version === version ? [`canary ${Number((canary.weight * 100).toPrecision(4))} %`] : []),
    ...(shadow?.version === version ? ['shadow'] : []),
    ...environments
      .filter((one) => one.environment !== 'production' && one.model_version === version)
      .map(({ environment }) => environment),
  ].join(', ');

export async function deployModel(
  client: HttpClient,
  name: string,
  version: string,
  options: Output & { environment: Environment; reason?: string; force: boolean },
): Promise<void> {
  const { environment, reason, force } = options;
  if (environment !== 'production') {
    const change = await client.call('putEnvironment', {
      params: { model_name: name as never, environment },
      body: { version, force, ...(reason === undefined ? {} : { reason }) },
    });
    if (options.json) return printJson(change);
    const before = change.previous_version === undefined ? '' : `, before it ${change.previous_version}`;
    return print(
      `${bold(`${name} ${change.model_version}`)} serves ${environment} (revision ${change.revision}${before})`,
    );
  }
  if (reason !== undefined || force)
    throw new UsageError(
      '--reason and --force go with --environment development or staging; models promote and models stage take them for production',
    );
  const answer = await client.call('deployModel', {
    params: { model_name: name as never, model_version: version },
  });
  if (options.json) return printJson(answer);
  const before = answer.previous_version === undefined ? '' : `, before it ${answer.previous_version}`;
  print(
    `${bold(`${answer.model_name} ${answer.model_version}`)} is deployed (revision ${answer.revision}${before})`,
  );
}

export async function deleteModel(
  client: HttpClient,
  name: string,
  version: string | undefined,
  options: Output & { force: boolean; all: boolean },
): Promise<void> {
  const force = options.force ? 'true' : 'false';
  if (version === undefined) {
    if (!options.all)
      throw new UsageError('name a version, or pass --all to delete the model with every version');
    const gone = await client.call('deleteModel', {
      params: { model_name: name as never },
      query: { force },
    });
    if (options.json) return printJson(gone);
    return print(`${gone.model_name} is deleted, with ${gone.versions.join(', ') || 'no versions'}`);
  }
  const answer = await client.call('deleteModelVersion', {
    params: { model_name: name as never, model_version: version },
    query: { force },
  });
  if (options.json) return printJson(answer);
  print(`${answer.model_name} ${answer.model_version} is deleted`);
}
