/**
 * Runs at the end of `npm ci`, on any Node: puts `tenantml` on the path of npm scripts and `npx`, and builds the
 * Lambda layers, so that `cdk synth` needs no network afterwards.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (!existsSync(node)) {
  // Installed without development dependencies: nothing here is built or deployed.
  process.exit(0);
}
if (process.platform !== 'win32') {
  const link = fileURLToPath(new URL('../node_modules/.bin/tenantml', import.meta.url));
  rmSync(link, { force: true });
  symlinkSync('../../bin/tenantml.js', link);
}
const built = spawnSync(node, ['layers/build.ts'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) {
  console.warn(
    'The Lambda layers could not be built; run `npm run build:layers` before `cdk synth` or `cdk deploy`.',
  );
}
