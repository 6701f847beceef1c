#!/usr/bin/env node
// Runs the command line tool under the Node that the checkout pins, whichever Node was called.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../src/cli/main.ts', import.meta.url);
const pinnedNode = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const canRunTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

if (canRunTypeScript || !existsSync(pinnedNode)) {
  const { main: run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(pinnedNode, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends these to both; anybody else only to this process.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code) => {
    process.exitCode = code ?? 130;
  });
}
