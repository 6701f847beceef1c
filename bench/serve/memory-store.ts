import { createHash } from 'node:crypto';
import type { ModelName } from '../../src/contracts/names.ts';
import type { ServingStore } from '../../src/serving/serving-store.ts';
import type { BenchModel } from './adult-model.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** One deployed model, in memory: what a store costs is not what is measured here. */
export function memoryStore({ graph, manifest }: BenchModel): ServingStore {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const objects = new Map<string, Uint8Array>([
    ['graph', graph],
    ['manifest', bytes],
  ]);
  return {
    pointer: async () => ({
      ...{ model_name: 'income' as ModelName, version: '1.0.0', revision: 1 },
      ...{ artifact_key: 'graph', artifact_sha256: sha256(graph), artifact_bytes: graph.length },
      ...{ manifest_key: 'manifest', manifest_sha256: sha256(bytes) },
    }),
    artifact: async (_, key) => objects.get(key),
    predictionIdKey: async () => Buffer.alloc(32, 3),
  };
}
