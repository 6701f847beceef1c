/** Builds what the image of the model server holds, in `dist/server` or the folder that is given: one file and onnxruntime. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { copyOnnxruntime } from '../layers/onnxruntime/layer.ts';

const root = path.resolve(import.meta.dirname, '..');

/** @param arch `x64` or `arm64`: the processor that the image is for */
export async function buildServer(folder: string, arch: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: [path.join(root, 'bin/server.ts')],
    outfile: path.join(folder, 'server.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    external: ['onnxruntime-node'],
    // What came as CommonJS asks for modules of Node by require.
    banner: {
      js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  copyOnnxruntime(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), arch);
}

if (import.meta.main) await buildServer(process.argv[2] ?? path.join(root, 'dist/server'), process.arch);
