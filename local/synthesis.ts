import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { TwinError } from './errors.ts';
import { removeOldFolders, useFolder } from './synthesis-folders.ts';

const ROOT = join(import.meta.dirname, '..');
const BUILD = join(ROOT, '.build/twin');

/** Everything that the synthesized app is made from. */
const SOURCES = ['src', 'functions', 'infra', 'layers', 'docs/openapi.json', 'cdk.json', 'package-lock.json'];

export interface Synthesis {
  readonly directory: string;
  readonly cached: boolean;
  /** To be called when nothing runs from the folder any more. */
  readonly release: () => void;
}

/**
 * Synthesizes the app with stage `local`, or reuses what was synthesized from the same sources. Each result has a
 * folder of its own: a twin that is running keeps the code that it was started with.
 * `.build/twin/cdk.out` points to the latest.
 */
export async function synthesize(onChild: (child: ChildProcess) => void): Promise<Synthesis> {
  const directory = join(BUILD, sourceHash());
  // Before looking: from here on no other twin removes it.
  const release = useFolder(directory);
  try {
    return { directory, cached: await prepare(directory, onChild), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Makes the folder unless it is there, and the latest. Returns whether it was there. */
async function prepare(directory: string, onChild: (child: ChildProcess) => void): Promise<boolean> {
  const cached = existsSync(join(directory, 'manifest.json'));
  if (!cached) {
    const fresh = `${directory}.${process.pid}`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    await runApp(fresh, onChild);
    // Another twin may have been faster; its result is the same.
    if (existsSync(join(directory, 'manifest.json'))) rmSync(fresh, { recursive: true });
    else renameSync(fresh, directory);
  }
  const now = new Date();
  utimesSync(directory, now, now);
  pointTo(directory);
  removeOldFolders(BUILD);
  return cached;
}

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of filesBelow(join(ROOT, source))) {
      hash
        .update(`${relative(ROOT, file)}\n`)
        .update(readFileSync(file))
        .update('\n');
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      // layers/*/build and node_modules are products, not sources.
      if (entry.name === 'node_modules' || entry.name === 'build') return [];
      return filesBelow(join(path, entry.name));
    });
}

async function runApp(outputDirectory: string, onChild: (child: ChildProcess) => void): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, 'infra/app.ts')], {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: outputDirectory,
      CDK_CONTEXT_JSON: JSON.stringify({ stage: 'local' }),
      CDK_DISABLE_CLI_TELEMETRY: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onChild(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    rmSync(outputDirectory, { recursive: true, force: true });
    throw new TwinError('SYNTH_FAILED', `node infra/app.ts ended with ${code}:\n${output.trim()}`);
  }
}

function pointTo(directory: string): void {
  const link = join(BUILD, 'cdk.out');
  const fresh = `${link}.${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(relative(BUILD, directory), fresh);
  renameSync(fresh, link);
}
