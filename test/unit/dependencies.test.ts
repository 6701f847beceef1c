import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;
const used = { ...dependencies, ...devDependencies };

/** Packages in the first column of the tables of packages. */
const explained = read('docs/dependencies.md')
  .split('## Written by hand')[0]!
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));

test('every package of package.json has a line in docs/dependencies.md, and no other has', () => {
  expect([...explained].sort()).toEqual(Object.keys(used).sort());
});

test('every package is pinned to an exact version', () => {
  expect(Object.entries(used).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
    [],
  );
});
