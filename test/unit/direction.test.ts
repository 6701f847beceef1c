import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type IReporterOutput } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folders = ['src', 'functions', 'infra', 'local', 'bin', 'scripts', 'bench'];
const copies: string[] = [];
afterEach(() => {
  for (const copy of copies.splice(0)) rmSync(copy, { recursive: true, force: true });
});

interface Summary {
  readonly violations: {
    readonly rule: { readonly name: string };
    readonly from: string;
    readonly to: string;
  }[];
  readonly totalCruised: number;
  readonly totalDependenciesCruised?: number;
}

async function check(directory: string): Promise<Summary> {
  const before = process.cwd();
  process.chdir(directory);
  try {
    const options = await extractOptions(join(directory, '.dependency-cruiser.cjs'));
    const { output } = (await cruise(folders, { ...options, outputType: undefined })) as IReporterOutput;
    return (output as unknown as { summary: Summary }).summary;
  } finally {
    process.chdir(before);
  }
}

/** A copy of the tree with files planted in it. */
function copyWith(planted: Readonly<Record<string, string>>): string {
  const copy = mkdtempSync(join(tmpdir(), 'tenantml-direction-'));
  copies.push(copy);
  for (const part of [
    ...folders,
    'layers',
    'docs',
    'package.json',
    'tsconfig.json',
    '.dependency-cruiser.cjs',
  ]) {
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (source) => !/\/layers\/\w+\/build/.test(source),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const [file, text] of Object.entries(planted)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
  return copy;
}

describe('the direction of imports', () => {
  it('holds in this tree, of which every file is read', { timeout: 60_000 }, async () => {
    const { violations, totalCruised, totalDependenciesCruised } = await check(root);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    // A checker that cannot read TypeScript finds files, no imports, and nothing wrong.
    expect(totalCruised).toBeGreaterThan(200);
    expect(totalDependenciesCruised).toBeGreaterThan(800);
  });

  it('is broken by what may not be, and each break is named', { timeout: 60_000 }, async () => {
    const value = (path: string) => `import * as all from '${path}';\nexport const kept = all;\n`;
    const type = (path: string, name: string) =>
      `import type { ${name} } from '${path}';\nexport type Kept = ${name};\n`;
    // A cycle is named once, by either of its files.
    const planted: Record<string, [text: string, rule?: string]> = {
      'src/ml/planted-adapter.ts': [value('../adapters/aws/s3-objects.ts'), 'ml-is-pure'],
      'src/ml/planted-tenant.ts': [type('../tenancy/tenant-context.ts', 'TenantContext'), 'ml-is-pure'],
      'src/ml/planted-file.ts': [value('node:fs'), 'ml-touches-no-platform'],
      'src/contracts/planted.ts': [value('../tenancy/keys.ts'), 'contracts-are-the-ground'],
      'src/tenancy/planted.ts': [value('../training/executions.ts'), 'tenancy-serves-the-domain'],
      'src/training/planted.ts': [value('../adapters/aws/s3-objects.ts'), 'domain-knows-no-adapter'],
      'src/imports/planted.ts': [value('../adapters/aws/s3-objects.ts'), 'domain-knows-no-adapter'],
      'src/serving/planted.ts': [value('../config.ts'), 'domain-reads-no-environment'],
      'src/adapters/planted.ts': [value('../composition/stores.ts'), 'adapters-know-no-root'],
      'src/client/planted.ts': [value('../registry/promotion.ts'), 'client-knows-contracts-only'],
      'src/composition/planted.ts': [value('../../functions/predict/handler.ts'), 'functions-are-the-edge'],
      'infra/planted.ts': [value('../src/tenancy/keys.ts'), 'infra-names-functions-by-path'],
      'local/planted.ts': [value('../src/tenancy/keys.ts'), 'twin-runs-the-template-only'],
      'src/data/planted-nowhere.ts': [value('./nowhere.ts'), 'no-unresolved'],
      'src/registry/planted-cycle.ts': [value('./planted-other.ts'), 'no-cycles'],
      'src/registry/planted-other.ts': [value('./planted-cycle.ts')],
    };
    const files = Object.fromEntries(Object.entries(planted).map(([file, [text]]) => [file, text]));
    const { violations } = await check(copyWith(files));
    const caught = new Set(violations.map(({ rule, from }) => `${from}: ${rule.name}`));
    for (const [file, [, rule]] of Object.entries(planted)) {
      if (rule !== undefined) expect(caught).toContain(`${file}: ${rule}`);
    }
    expect(violations.filter(({ from }) => !(from in planted))).toEqual([]);
  });
});
