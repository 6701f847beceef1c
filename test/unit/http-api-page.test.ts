import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { statusByCode } from '../../src/contracts/problem-status.ts';
import { type Route, routes } from '../../src/contracts/routes.ts';

const page = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');

/** Rows of the table of errors: code and status. */
const documented = new Map(
  [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code!, Number(status)]),
);

test('the page of the HTTP API gives the status of every code in its table of errors as the code has it', () => {
  expect(documented.size).toBeGreaterThan(30);
  for (const [code, status] of documented) expect([code, statusByCode[code]]).toEqual([code, status]);
});

test('the page of the HTTP API names every error code', () => {
  expect(Object.keys(statusByCode).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('the page of the HTTP API names every code by which the library refuses to train', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const codes = globSync('src/ml/**/*.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}${file}`, 'utf8').matchAll(/new TrainingError\(\s*'([A-Z_]+)'/g)].map(
      ([, code]) => code!,
    ),
  );
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('the page of the HTTP API names the path of every operation', () => {
  const paths = Object.values(routes as Record<string, Route>).map(({ path }) => path);
  expect(paths.filter((path) => !page.includes(path))).toEqual([]);
});

test('the table of statuses holds no code that nothing sends', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const code = globSync(['src/**/*.ts', 'functions/**/*.ts'], { cwd: root })
    .filter((file) => !file.endsWith('contracts/problem-status.ts'))
    .map((file) => readFileSync(`${root}${file}`, 'utf8'))
    .join('\n');
  expect(Object.keys(statusByCode).filter((one) => !code.includes(`'${one}'`))).toEqual([]);
});
