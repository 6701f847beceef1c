import type { ModelStage } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { Lineage, ModelDeployment } from '../contracts/registry.ts';

/** A version, as far as its descent goes. */
export interface DescendedVersion {
  readonly version: string;
  readonly stage: ModelStage;
  readonly buildId: string;
  readonly sha256: string;
  readonly datasetId: string | undefined;
  readonly jobId: string;
  readonly derivedFrom: string | undefined;
  readonly algorithm: string | undefined;
  readonly framework: string | undefined;
  readonly createdBy: string;
  readonly createdAt: string;
}

export interface LineageFacts {
  readonly modelName: ModelName;
  /** Newest first. */
  readonly versions: readonly DescendedVersion[];
  readonly deployments: readonly ModelDeployment[];
}

/**
 * Dataset → run → version → deployment. Ids are stable: `dataset:<sha256>`, `run:<job id>`, `version:<semver>`,
 * `deployment:<revision>`.
 */
export function lineageGraph({ modelName, versions, deployments }: LineageFacts): Lineage {
  const nodes = new Map<string, Lineage['nodes'][number]>();
  const edges: Lineage['edges'] = [];
  const shown = new Set(versions.map(({ version }) => version));
  for (const version of versions) {
    const { datasetId, jobId, derivedFrom, createdAt } = version;
    const id = `version:${version.version}`;
    nodes.set(id, {
      ...{ id, kind: 'version', name: `${modelName} ${version.version}`, at: createdAt },
      attributes: {
        ...{ stage: version.stage, build_id: version.buildId, sha256: version.sha256 },
        ...{ algorithm: version.algorithm, framework: version.framework, created_by: version.createdBy },
      },
    });
    if (derivedFrom !== undefined) {
      edges.push({ from: `version:${derivedFrom}`, to: id, relation: 'derived' });
      // A version that is gone is still where this one came from.
      if (!shown.has(derivedFrom)) nodes.set(`version:${derivedFrom}`, goneVersion(modelName, derivedFrom));
      continue;
    }
    const run = `run:${jobId}`;
    nodes.set(run, { id: run, kind: 'run', name: jobId, attributes: {} });
    edges.push({ from: run, to: id, relation: 'produced' });
    if (datasetId === undefined) continue;
    const dataset = `dataset:${datasetId}`;
    nodes.set(dataset, { id: dataset, kind: 'dataset', name: datasetId.slice(0, 12), attributes: {} });
    edges.push({ from: dataset, to: run, relation: 'used by' });
  }
  for (const { revision, action, environment, model_version, deployed_at, actor } of deployments) {
    if (model_version === undefined || (action !== 'deploy' && action !== 'rollback')) continue;
    const id = `deployment:${revision}`;
    nodes.set(id, {
      ...{ id, kind: 'deployment', name: `revision ${revision}`, at: deployed_at },
      attributes: { action, environment, actor },
    });
    if (!nodes.has(`version:${model_version}`))
      nodes.set(`version:${model_version}`, goneVersion(modelName, model_version));
    edges.push({ from: `version:${model_version}`, to: id, relation: 'deployed as' });
  }
  return { model_name: modelName, nodes: [...nodes.values()], edges };
}

const goneVersion = (model: string, version: string): Lineage['nodes'][number] => ({
  ...{ id: `version:${version}`, kind: 'version', name: `${model} ${version}` },
  attributes: { deleted: true },
});
