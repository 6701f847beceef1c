import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LayerDefinition } from '../layer.ts';

const NATIVE_PACKAGE = '@duckdb/node-bindings-linux-arm64';
const SCRIPT_PACKAGES = ['@duckdb/node-api', '@duckdb/node-bindings', 'detect-libc'];

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
}

/** A package whose bytes are not those that the lock file records. */
export class LayerIntegrityError extends Error {
  readonly code = 'LAYER_INTEGRITY';
  constructor(name: string, expected: string, found: string) {
    super(`${name}: package-lock.json records ${expected}, fetched ${found}`);
    this.name = 'LayerIntegrityError';
  }
}

/**
 * DuckDB's Node packages with the linux/arm64 library.
 *
 * The native package cannot be a dependency: npm refuses it on x64 (EBADPLATFORM) or, as an optional one, leaves it
 * out in silence. It is fetched by `npm pack` instead, at the version and with the integrity that package-lock.json
 * records for it.
 */
export function duckdbLayer(nodeModules: string, lockFile: string): LayerDefinition {
  const native = lockedPackage(lockFile, NATIVE_PACKAGE);
  const version = (name: string) =>
    (JSON.parse(readFileSync(path.join(nodeModules, name, 'package.json'), 'utf8')) as { version: string })
      .version;
  const inputs = Object.fromEntries(SCRIPT_PACKAGES.map((name) => [name, version(name)]));
  if (native.version !== inputs['@duckdb/node-bindings']) {
    throw new Error(
      `${NATIVE_PACKAGE}@${native.version} does not fit @duckdb/node-bindings@${inputs['@duckdb/node-bindings']}; pin a version that has a linux/arm64 part`,
    );
  }
  return {
    name: 'duckdb',
    budgetMb: 80,
    inputs: { ...inputs, [NATIVE_PACKAGE]: `${native.version} ${native.integrity}` },
    nativeFiles: [
      `nodejs/node_modules/${NATIVE_PACKAGE}/duckdb.node`,
      `nodejs/node_modules/${NATIVE_PACKAGE}/libduckdb.so`,
    ],
    fill: (target) => {
      for (const name of SCRIPT_PACKAGES) {
        cpSync(path.join(nodeModules, name), path.join(target, name), {
          recursive: true,
          filter: (source) => !/(\.d\.ts|\.map|README\.md)$/.test(source),
        });
      }
      fetchPackage(NATIVE_PACKAGE, native, path.join(target, NATIVE_PACKAGE));
    },
  };
}

/** The version and integrity that the lock file holds for a package. */
export function lockedPackage(lockFile: string, name: string): Required<LockedPackage> {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> };
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry?.integrity) throw new Error(`package-lock.json records no integrity for ${name}`);
  return { version: entry.version, integrity: entry.integrity };
}

/** Throws unless the bytes have the given subresource integrity (`sha512-...`). */
export function verifyIntegrity(name: string, bytes: Uint8Array, expected: string): void {
  const algorithm = expected.slice(0, expected.indexOf('-'));
  const found = `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`;
  if (found !== expected) throw new LayerIntegrityError(name, expected, found);
}

function fetchPackage(name: string, locked: Required<LockedPackage>, target: string): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantml-layer-'));
  try {
    const printed = execFileSync(
      'npm',
      [
        'pack',
        `${name}@${locked.version}`,
        '--json',
        '--prefer-offline',
        '--ignore-scripts',
        '--pack-destination',
        folder,
      ],
      // npm runs this script itself on `npm ci`: its dry-run and workspace settings must not reach the inner call.
      {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
        env: withoutNpmSettings(process.env),
      },
    );
    const [packed] = JSON.parse(printed) as { filename: string }[];
    if (!packed) throw new Error(`npm pack ${name}@${locked.version} named no file`);
    const archive = path.join(folder, path.basename(packed.filename));
    verifyIntegrity(name, readFileSync(archive), locked.integrity);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', archive, '-C', target, '--strip-components=1', '--no-same-owner']);
    rmSync(path.join(target, 'README.md'), { force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutNpmSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const dropped =
    /^npm_(config_(dry_run|workspace|workspaces|prefix|local_prefix|json|ignore_scripts)|command|lifecycle_.*|package_.*)$/i;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !dropped.test(name)));
}
