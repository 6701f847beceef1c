import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

/** Every folder below `functions/`. */
export const functionNames = [
  'authorizer',
  'predict',
  'train',
  'datasets',
  'registry',
  'tenant',
  'tenants',
  'tenant-rows',
  'retention',
  'platform',
  'ingest',
  'batch',
  'import',
  'predict-imported',
  'trainer',
  'registrar',
  'close-job',
  'retrain',
  'repair',
  'relay',
  'migrate',
  'monitoring',
  'pre-token',
] as const;
export type FunctionName = (typeof functionNames)[number];

/** The code folder of each function. */
export type FunctionBundles = Readonly<Record<FunctionName, string>>;

/** Handlers that the application needs and the working tree does not have. */
export class MissingHandlerError extends Error {
  readonly code = 'MISSING_HANDLER';
  constructor(files: readonly string[]) {
    super(`functions cannot be bundled, these handlers are missing: ${files.join(', ')}`);
    this.name = 'MissingHandlerError';
  }
}

export interface BundleFunctionsProps {
  /** The root of the project. */
  readonly root: string;
  /** Where the folders of the functions go. */
  readonly outdir: string;
}

/**
 * Bundles all functions in one esbuild call to `<outdir>/<name>/index.cjs`.
 *
 * CommonJS, because on Lambda only `require` finds the packages of a layer (it honours NODE_PATH=/opt/nodejs/node_modules,
 * `import` does not). The native packages come from the layers; the AWS SDK is bundled, so that the version tested is
 * the version deployed.
 */
export function bundleFunctions({ root, outdir }: BundleFunctionsProps): FunctionBundles {
  const missing = functionNames.filter((name) => !existsSync(handlerFile(root, name)));
  if (missing.length > 0)
    throw new MissingHandlerError(missing.map((name) => `functions/${name}/handler.ts`));

  const result = buildSync({
    absWorkingDir: root,
    entryPoints: functionNames.map((name) => ({ in: handlerFile(root, name), out: `${name}/index` })),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    // Written below, and only where something changed: two synths at once do not tear each other's files.
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
    // A lazy import is a lazy require: `import()` would not find a layer's packages either.
    supported: { 'dynamic-import': false },
    external: ['onnxruntime-node', '@duckdb/node-api', 'pg-native', 'jiti'],
    // CommonJS has no import.meta; sources that locate files beside themselves still work.
    define: {
      'import.meta.url': 'bundleUrl',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
    banner: { js: "const bundleUrl=require('node:url').pathToFileURL(__filename).href;" },
  });

  const files = new Map<FunctionName, Map<string, Uint8Array>>();
  for (const name of functionNames) files.set(name, new Map(staticFiles(root, name)));
  for (const output of result.outputFiles) {
    const [name, file] = path.relative(outdir, output.path).split(path.sep) as [FunctionName, string];
    files.get(name)?.set(file, output.contents);
  }
  for (const [name, content] of files) syncFolder(path.join(outdir, name), content);
  return Object.fromEntries(functionNames.map((name) => [name, path.join(outdir, name)])) as Record<
    FunctionName,
    string
  >;
}

function handlerFile(root: string, name: FunctionName): string {
  return path.join(root, 'functions', name, 'handler.ts');
}

/** Files that a function reads at run time, beside its code. */
function staticFiles(root: string, name: FunctionName): [string, Uint8Array][] {
  if (name === 'migrate') {
    const folder = path.join(root, 'src/adapters/postgres/migrations');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .map((file) => [path.join('migrations', file), readFileSync(path.join(folder, file))]);
  }
  if (name === 'platform') {
    const swagger = path.join(root, 'node_modules/swagger-ui-dist');
    const sources = [path.join(swagger, 'swagger-ui-bundle.js'), path.join(swagger, 'swagger-ui.css')];
    return sources
      .filter((file) => existsSync(file))
      .map((file) => [path.basename(file), readFileSync(file)]);
  }
  return [];
}

/** Makes a folder hold exactly these files. */
function syncFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !files.has(path.relative(folder, file))) rmSync(file, { force: true });
  }
  for (const [relative, content] of files) {
    const file = path.join(folder, relative);
    if (existsSync(file) && readFileSync(file).equals(content)) continue;
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
