import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { LayerDefinition } from '../layer.ts';

const NATIVE = 'onnxruntime-node/bin/napi-v6/linux/arm64';

/** onnxruntime-node without the other platforms' libraries (288 MB become about 26 MB). */
export function onnxruntimeLayer(nodeModules: string): LayerDefinition {
  const version = (name: string) =>
    (JSON.parse(readFileSync(path.join(nodeModules, name, 'package.json'), 'utf8')) as { version: string })
      .version;
  const withoutTypesAndMaps = (source: string) => !/\.(d\.ts|d\.mts|map)$/.test(source);
  return {
    name: 'onnxruntime',
    budgetMb: 40,
    inputs: {
      'onnxruntime-node': version('onnxruntime-node'),
      'onnxruntime-common': version('onnxruntime-common'),
    },
    nativeFiles: [
      `nodejs/node_modules/${NATIVE}/onnxruntime_binding.node`,
      `nodejs/node_modules/${NATIVE}/libonnxruntime.so.1`,
    ],
    fill: (target) => {
      for (const part of ['onnxruntime-node/package.json', 'onnxruntime-node/dist', NATIVE]) {
        cpSync(path.join(nodeModules, part), path.join(target, part), {
          recursive: true,
          filter: withoutTypesAndMaps,
        });
      }
      for (const part of ['onnxruntime-common/package.json', 'onnxruntime-common/dist/cjs']) {
        cpSync(path.join(nodeModules, part), path.join(target, part), {
          recursive: true,
          filter: withoutTypesAndMaps,
        });
      }
    },
  };
}
