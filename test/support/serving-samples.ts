import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ModelManifest } from '../../src/contracts/models.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { fitPipeline, type PipelineModel } from '../../src/ml/pipeline.ts';
import type { Table } from '../../src/ml/table.ts';
import type { ServingPointer } from '../../src/serving/serving-pointer.ts';
import type { ServingStore } from '../../src/serving/serving-store.ts';
import { type ModelFileName, objectKeys } from '../../src/tenancy/keys.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { randomTable } from '../unit/ml/support/random-table.ts';
import { sampleManifest } from './samples.ts';
import { modelName } from './tenants.ts';

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
export const idKey = Buffer.alloc(32, 3);

/** A trained model as its build holds it. */
export interface Built {
  readonly model: PipelineModel;
  readonly explainer: Uint8Array;
  readonly graph: Uint8Array;
  readonly manifest: ModelManifest;
}

/** Trains on a table with target `y`. */
export function buildOf(
  table: Table,
  task: 'classification' | 'regression',
  algorithm: string,
  hyperparameters: Record<string, unknown> = {},
): Built {
  const fit = fitPipeline(table, { task, target: 'y', algorithm, hyperparameters, randomState: 1 } as never);
  if (!fit.done) throw new Error('paused');
  const { classes } = fit.model;
  const json = Buffer.from(JSON.stringify(fit.model));
  const explainer = gzipSync(json);
  const manifest = sampleManifest({
    task,
    algorithm: algorithm as ModelManifest['algorithm'],
    features: onnxInputs(fit.model),
    classes: classes === undefined ? undefined : [...classes],
    explainer: { sha256: sha256(explainer), bytes: explainer.length, json_bytes: json.length },
  });
  return { model: fit.model, graph: exportOnnx(fit.model), manifest, explainer };
}

/** A small model over random columns of every type. */
export function built(target: 'text' | 'numeric', seed: number): Built {
  const table = randomTable({ nRows: 200, target, seed });
  return target === 'numeric'
    ? buildOf(table, 'regression', 'ridge')
    : buildOf(table, 'classification', 'logistic_regression');
}

/** The store in memory; it counts what is asked of it. */
export class MemoryServingStore implements ServingStore {
  readonly pointers = new Map<string, ServingPointer>();
  readonly objects = new Map<string, Uint8Array>();
  asked: string[] = [];
  failing = false;

  deploy(
    tenant: TenantContext,
    name: string,
    version: string,
    { graph, manifest, explainer }: Pick<Built, 'graph' | 'manifest' | 'explainer'>,
    more: Partial<ServingPointer> = {},
  ): ServingPointer {
    const key = (file: ModelFileName) => objectKeys.modelFile(tenant, modelName(name), `b${version}`, file);
    const bytes = Buffer.from(JSON.stringify(manifest));
    this.objects.set(key('model.onnx'), graph).set(key('manifest.json'), bytes);
    this.objects.set(key('explainer.json.gz'), explainer);
    const pointer: ServingPointer = {
      ...{ model_name: modelName(name), version, revision: 1 },
      ...{ artifact_key: key('model.onnx'), artifact_sha256: sha256(graph), artifact_bytes: graph.length },
      ...{ manifest_key: key('manifest.json'), manifest_sha256: sha256(bytes) },
      ...more,
    };
    this.pointers.set(placeOf(tenant, name, more.environment), pointer);
    return pointer;
  }

  async pointer(tenant: TenantContext, model: string, environment?: string) {
    this.asked.push('pointer');
    if (this.failing) throw new Error('DynamoDB is away');
    return this.pointers.get(placeOf(tenant, model, environment));
  }

  async artifact(_tenant: TenantContext, key: string) {
    this.asked.push(key.endsWith('onnx') ? 'graph' : key.endsWith('gz') ? 'explainer' : 'manifest');
    return this.objects.get(key);
  }

  async predictionIdKey() {
    this.asked.push('key');
    if (this.failing) throw new Error('DynamoDB is away');
    return idKey;
  }
}

const placeOf = ({ tenantId }: TenantContext, model: string, environment?: string) =>
  environment === undefined ? `${tenantId}/${model}` : `${tenantId}/${model} in ${environment}`;
