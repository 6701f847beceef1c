/**
 * Writes docs/algorithms.md and a page per algorithm in docs/algorithms/, and removes pages of algorithms that are gone;
 * with --check only compares, and fails on a difference.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { algorithms } from '../src/ml/algorithms.ts';
import { measurements } from './algorithm-measurements.ts';
import { algorithmPage, GENERATED } from './algorithm-page.ts';

const docs = new URL('../docs/', import.meta.url);
const folder = new URL('algorithms/', docs);

const index = [
  GENERATED,
  '',
  '# Algorithms',
  '',
  'Choose one with `algorithm` in `POST /api/v1/ml/train`, or with `--algorithm` on the command line; `auto` lets the',
  '[sensible ones race](http-api.md#choosing-between-candidates). Hyperparameters go into `hyperparameters`, or into',
  "`--param name=value`, and have scikit-learn's names. An unknown name is refused with the nearest known one; a value out",
  'of range is refused with its rule. How they work is in [machine learning](machine-learning.md).',
  '',
  '| algorithm | for | |',
  '|---|---|---|',
  ...algorithms.map(
    ({ name, title, tasks }) => `| [\`${name}\`](algorithms/${name}.md) | ${tasks.join(', ')} | ${title} |`,
  ),
  '',
].join('\n');

const measured = measurements();
const pages = new Map<string, string>([
  ['algorithms.md', index],
  ...algorithms.map((one) => [`algorithms/${one.name}.md`, algorithmPage(one, measured)] as const),
]);
const present = existsSync(folder) ? readdirSync(folder).map((name) => `algorithms/${name}`) : [];
const stale = present.filter((page) => !pages.has(page));
const isWritten = (page: string, text: string) =>
  existsSync(new URL(page, docs)) && readFileSync(new URL(page, docs), 'utf8') === text;
const differing = [...pages].filter(([page, text]) => !isWritten(page, text)).map(([page]) => page);

if (process.argv.includes('--check')) {
  const wrong = [...differing, ...stale].map((page) => `docs/${page}`);
  if (wrong.length > 0) {
    console.error(
      `${wrong.join(', ')} differ from what is generated; run \`npm run algorithms\` and commit it`,
    );
    process.exit(1);
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const page of differing) writeFileSync(new URL(page, docs), pages.get(page)!);
  for (const page of stale) rmSync(new URL(page, docs));
}
