import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { layerDefinitions } from '../../layers/build.ts';
import { LayerIntegrityError, lockedPackage, verifyIntegrity } from '../../layers/duckdb/layer.ts';
import {
  buildLayer,
  checkLayer,
  elfMachine,
  LayerBinaryError,
  type LayerDefinition,
  LayerTooLargeError,
} from '../../layers/layer.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** The first 20 bytes of an ELF file for a machine. */
function elfHeader(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 0, 'latin1');
  header.writeUInt16LE(machine, 18);
  return header;
}

const AARCH64 = 0xb7;
const X86_64 = 0x3e;

describe('built layers', () => {
  it.each(layerDefinitions())('$name is within its budget and holds aarch64 libraries', (definition) => {
    const folder = path.join(root, 'layers', definition.name, 'build');
    expect(checkLayer(definition, folder)).toBeGreaterThan(10_000_000);
    for (const file of definition.nativeFiles) expect(elfMachine(path.join(folder, file))).toBe('aarch64');
  });

  it('hold no library of another machine', () => {
    for (const { name } of layerDefinitions()) {
      const folder = path.join(root, 'layers', name, 'build');
      const natives = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.(node|dylib|dll)$|\.so(\.\d+)*$/.test(file),
      );
      expect(natives.length).toBeGreaterThan(1);
      for (const file of natives) expect(elfMachine(path.join(folder, file)), file).toBe('aarch64');
    }
  });

  it('have budgets of 40 and 80 MB', () => {
    expect(layerDefinitions().map(({ name, budgetMb }) => [name, budgetMb])).toEqual([
      ['onnxruntime', 40],
      ['duckdb', 80],
    ]);
  });

  it('hold the packages that their scripts require', () => {
    const modules = (name: string) => path.join(root, 'layers', name, 'build/nodejs/node_modules');
    expect(readdirSync(modules('onnxruntime')).sort()).toEqual(['onnxruntime-common', 'onnxruntime-node']);
    expect(readdirSync(path.join(modules('duckdb'), '@duckdb')).sort()).toEqual([
      'node-api',
      'node-bindings',
      'node-bindings-linux-arm64',
    ]);
  });
});

describe('building a layer', () => {
  let folder: string;
  let fills: number;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tenantml-layer-test-'));
    mkdirSync(path.join(folder, 'sample'));
    fills = 0;
  });

  function sample(overrides: Partial<LayerDefinition> = {}): LayerDefinition {
    return {
      name: 'sample',
      budgetMb: 1,
      inputs: { version: '1' },
      nativeFiles: ['nodejs/node_modules/sample.node'],
      fill: (target) => {
        fills += 1;
        writeFileSync(path.join(target, 'sample.node'), elfHeader(AARCH64));
      },
      ...overrides,
    };
  }

  it('is skipped while its inputs stay the same', () => {
    expect(buildLayer(sample(), folder).built).toBe(true);
    expect(buildLayer(sample(), folder).built).toBe(false);
    expect(buildLayer(sample({ inputs: { version: '2' } }), folder).built).toBe(true);
    expect(fills).toBe(2);
  });

  it('fails with figures over its budget, and leaves the last good build', () => {
    buildLayer(sample(), folder);
    const large = sample({
      inputs: { version: '2' },
      fill: (target) => {
        writeFileSync(path.join(target, 'sample.node'), elfHeader(AARCH64));
        writeFileSync(path.join(target, 'ballast'), Buffer.alloc(1_200_000));
      },
    });
    expect(() => buildLayer(large, folder)).toThrow(LayerTooLargeError);
    expect(() => buildLayer(large, folder)).toThrow(/sample is 1\.2 MB unzipped, its budget is 1 MB/);
    expect(readdirSync(path.join(folder, 'sample')).sort()).toEqual(['build', 'build.stamp.json']);
    expect(statSync(path.join(folder, 'sample/build/nodejs/node_modules/sample.node')).size).toBe(64);
  });

  it.each([
    ['another machine', (file: string) => writeFileSync(file, elfHeader(X86_64)), 'x86-64'],
    [
      'no library',
      (file: string) => writeFileSync(file, 'text that is long enough to be a header'),
      'no ELF file',
    ],
    ['nothing', () => undefined, 'no file'],
  ])('fails on a native file that is for %s', (_, write, found) => {
    const broken = sample({ fill: (target) => void write(path.join(target, 'sample.node')) });
    expect(() => buildLayer(broken, folder)).toThrow(LayerBinaryError);
    expect(() => buildLayer(broken, folder)).toThrow(found);
  });
});

describe('the pinned native package', () => {
  it('is the one that fits the installed DuckDB', () => {
    const locked = lockedPackage(path.join(root, 'package-lock.json'), '@duckdb/node-bindings-linux-arm64');
    const installed = JSON.parse(
      readFileSync(path.join(root, 'node_modules/@duckdb/node-bindings/package.json'), 'utf8'),
    ) as { version: string };
    expect(locked.version).toBe(installed.version);
    expect(locked.integrity).toMatch(/^sha512-/);
  });

  it('is refused when one byte is not what the lock file records', () => {
    const bytes = Buffer.from('abc');
    const integrity =
      'sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==';
    expect(() => verifyIntegrity('sample', bytes, integrity)).not.toThrow();
    expect(() => verifyIntegrity('sample', Buffer.from('abd'), integrity)).toThrow(LayerIntegrityError);
  });
});
