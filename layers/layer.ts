import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

const STAMP_SUFFIX = '.stamp.json';
const BYTES_PER_MB = 1_000_000;

/** What one Lambda layer is made of. A layer's tree is `build/nodejs/node_modules/...`, as NODE_PATH expects it. */
export interface LayerDefinition {
  /** Folder under `layers/`, also the layer's name. */
  readonly name: string;
  /** Largest allowed size of the unzipped layer, in decimal megabytes. */
  readonly budgetMb: number;
  /** Everything the content depends on: a layer with the same inputs is not built again. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Files that must be there as aarch64 shared objects, relative to the layer's root. */
  readonly nativeFiles: readonly string[];
  /** Fills an empty `nodejs/node_modules` folder. */
  readonly fill: (nodeModules: string) => void;
}

/** The outcome of building one layer. */
export interface LayerResult {
  readonly name: string;
  readonly folder: string;
  readonly bytes: number;
  readonly built: boolean;
}

/** A layer that came out larger than its budget. */
export class LayerTooLargeError extends Error {
  readonly code = 'LAYER_TOO_LARGE';
  readonly bytes: number;
  readonly budgetMb: number;

  constructor(layer: string, bytes: number, budgetMb: number) {
    super(
      `layer ${layer} is ${(bytes / BYTES_PER_MB).toFixed(1)} MB unzipped, its budget is ${budgetMb} MB; prune it or raise the budget in layers/${layer}/layer.ts`,
    );
    this.name = 'LayerTooLargeError';
    this.bytes = bytes;
    this.budgetMb = budgetMb;
  }
}

/** A native file that is missing or was made for another machine. */
export class LayerBinaryError extends Error {
  readonly code = 'LAYER_BINARY';
  constructor(layer: string, file: string, found: string) {
    super(`layer ${layer}: ${file} must be an aarch64 ELF shared object, found ${found}`);
    this.name = 'LayerBinaryError';
  }
}

/** Builds a layer into `<layersFolder>/<name>/build`, or leaves it when its inputs have not changed. */
export function buildLayer(definition: LayerDefinition, layersFolder: string): LayerResult {
  const folder = path.join(layersFolder, definition.name, 'build');
  const stamp = createHash('sha256')
    .update(JSON.stringify([definition.inputs, definition.nativeFiles, definition.budgetMb]))
    .digest('hex');
  const upToDate = existsSync(folder) && readStamp(folder) === stamp;
  if (!upToDate) {
    // Built beside its place and moved at the end: an interrupted build never looks like a finished one.
    const draft = `${folder}.${process.pid}`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(path.join(draft, 'nodejs', 'node_modules'), { recursive: true });
    try {
      definition.fill(path.join(draft, 'nodejs', 'node_modules'));
      checkLayer(definition, draft);
      writeFileSync(stampPath(draft), JSON.stringify({ stamp }));
      rmSync(folder, { recursive: true, force: true });
      renameSync(draft, folder);
      renameSync(stampPath(draft), stampPath(folder));
    } finally {
      rmSync(draft, { recursive: true, force: true });
      rmSync(stampPath(draft), { force: true });
    }
  }
  return { name: definition.name, folder, bytes: checkLayer(definition, folder), built: !upToDate };
}

/** Asserts budget and binaries of a layer's tree; returns its size in bytes. */
export function checkLayer(
  definition: Pick<LayerDefinition, 'name' | 'budgetMb' | 'nativeFiles'>,
  folder: string,
): number {
  for (const file of definition.nativeFiles) {
    const machine = elfMachine(path.join(folder, file));
    if (machine !== 'aarch64') throw new LayerBinaryError(definition.name, file, machine);
  }
  const bytes = folderBytes(folder);
  if (bytes > definition.budgetMb * BYTES_PER_MB) {
    throw new LayerTooLargeError(definition.name, bytes, definition.budgetMb);
  }
  return bytes;
}

/** The machine an ELF file was made for: `aarch64`, `x86-64`, or a word for what it is instead. */
export function elfMachine(file: string): string {
  if (!existsSync(file)) return 'no file';
  const header = readFileSync(file).subarray(0, 20);
  if (header.length < 20 || header.toString('latin1', 0, 4) !== '\x7fELF') return 'no ELF file';
  const machine = header.readUInt16LE(18);
  if (machine === 0xb7) return 'aarch64';
  return machine === 0x3e ? 'x86-64' : `machine 0x${machine.toString(16)}`;
}

/** Bytes of all files below a folder. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

// Beside the tree, not in it: the stamp must not be deployed with the layer.
function stampPath(folder: string): string {
  return `${folder}${STAMP_SUFFIX}`;
}

function readStamp(folder: string): string | undefined {
  if (!existsSync(stampPath(folder))) return undefined;
  return (JSON.parse(readFileSync(stampPath(folder), 'utf8')) as { stamp?: string }).stamp;
}
