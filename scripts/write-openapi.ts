/** Writes docs/openapi.json from the route table; with --check only compares, and fails on a difference. */
import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../src/contracts/openapi.ts';

const file = new URL('../docs/openapi.json', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const text = `${JSON.stringify({ 'x-generated': 'by npm run openapi from src/contracts/routes.ts', ...openApiDocument(version) }, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs/openapi.json is not what src/contracts gives; run `npm run openapi` and commit it');
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
