import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { LayerDefinition } from '../layer.ts';

const nativeFolder = (arch: string) => `onnxruntime-node/bin/napi-v6/linux/${arch}`;
const NATIVE = nativeFolder('arm64');

/** Copies what onnxruntime-node needs at run time on Linux: of the native libraries only those of one processor. */
export function copyOnnxruntime(nodeModules: string, target: string, arch: string): void {
  const withoutTypesAndMaps = (source: string) => !/\.(d\.ts|d\.mts|map)$/.test(source);
  const parts = [
    'onnxruntime-node/package.json',
    'onnxruntime-node/dist',
    nativeFolder(arch),
    'onnxruntime-common/package.json',
    'onnxruntime-common/dist/cjs',
  ];
  for (const part of parts)
    cpSync(path.join(nodeModules, part), path.join(target, part), {
      recursive: true,
      filter: withoutTypesAndMaps,
    });
}

/** onnxruntime-node without the other platforms' libraries (288 MB become about 26 MB). */
export function onnxruntimeLayer(nodeModules: string): LayerDefinition {
  const version = (name: string) =>
    (JSON.parse(readFileSync(path.join(nodeModules, name, 'package.json'), 'utf8')) as { version: string })
      .version;
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
    fill: (target) => copyOnnxruntime(nodeModules, target, 'arm64'),
  };
}
