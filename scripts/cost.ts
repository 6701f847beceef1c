/**
 * What the platform costs, from the synthesized templates: an idle month, and a million predictions. Ends with 1 when an
 * idle month costs 5 USD or more, or when a resource has no price.
 * npm run cost -- [--stage prod] [--write | --check]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type FunctionBundles, functionNames } from '../infra/bundle-functions.ts';
import type { BilledResource } from '../infra/cost/billed-resource.ts';
import { costPage, costReport, overLimit } from '../infra/cost/cost-report.ts';
import { PlatformApp } from '../infra/platform-app.ts';

const { values: options } = parseArgs({
  options: {
    stage: { type: 'string', default: 'prod' },
    write: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

const file = new URL('../docs/costs.md', import.meta.url);
const report = costReport(synthesized(options.stage));
const page = costPage(report);
if (options.write) {
  writeFileSync(file, page);
} else if (options.check) {
  if (readFileSync(file, 'utf8') !== page) {
    console.error(
      'docs/costs.md is not what the templates give; run `npm run cost -- --write` and commit it',
    );
    process.exitCode = 1;
  }
} else {
  process.stdout.write(page);
}
const problem = overLimit(report);
if (problem !== undefined) {
  console.error(problem);
  process.exitCode = 1;
}

/** The templates do not depend on what is in the functions, so that nothing is bundled. */
function synthesized(stage: string): BilledResource[] {
  const scratch = mkdtempSync(path.join(tmpdir(), 'tenantml-cost-'));
  try {
    const bundles = Object.fromEntries(
      functionNames.map((name) => {
        const folder = path.join(scratch, 'functions', name);
        mkdirSync(folder, { recursive: true });
        writeFileSync(path.join(folder, 'index.cjs'), '');
        return [name, folder];
      }),
    ) as FunctionBundles;
    const outdir = path.join(scratch, 'cdk.out');
    const context = { 'aws:cdk:disable-asset-staging': true };
    const assembly = new PlatformApp({ stage, bundles, outdir, context }).synth();
    return assembly.stacks.flatMap(({ stackName, template }) =>
      Object.entries((template as { Resources: Record<string, BilledResource> }).Resources).map(
        ([logicalId, resource]) => ({ ...resource, stack: stackName, logicalId }),
      ),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
