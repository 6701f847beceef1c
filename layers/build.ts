import path from 'node:path';
import { duckdbLayer } from './duckdb/layer.ts';
import { buildLayer, type LayerDefinition, type LayerResult } from './layer.ts';
import { onnxruntimeLayer } from './onnxruntime/layer.ts';

const root = path.resolve(import.meta.dirname, '..');
const nodeModules = path.join(root, 'node_modules');

/** All layers of the platform. */
export function layerDefinitions(): LayerDefinition[] {
  return [onnxruntimeLayer(nodeModules), duckdbLayer(nodeModules, path.join(root, 'package-lock.json'))];
}

/** Builds what is out of date, in `layers/<name>/build`. */
export function buildLayers(): LayerResult[] {
  return layerDefinitions().map((definition) => buildLayer(definition, path.join(root, 'layers')));
}

if (import.meta.main) {
  for (const { name, bytes, built } of buildLayers()) {
    console.log(`layer ${name}: ${(bytes / 1e6).toFixed(1)} MB ${built ? 'built' : 'up to date'}`);
  }
}
