import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const notOurs = new Set(['node_modules', 'cdk.out', 'build', 'dist', 'coverage']);

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory())
      return notOurs.has(entry.name) || entry.name.startsWith('.') ? [] : pagesBelow(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/^(```|~~~).*?^\1/gms, '').replaceAll(/`[^`\n]*`/g, '');

/** Anchors as GitHub makes them: lower case, punctuation gone, spaces to hyphens, repeats numbered. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const times = new Map<string, number>();
  for (const [, title] of markdown.replaceAll(/^(```|~~~).*?^\1/gms, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)) {
    const text = title!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const before = times.get(slug) ?? 0;
    times.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** @returns what is wrong with the links of a page */
function brokenLinks(file: string, markdown: string): string[] {
  const broken: string[] = [];
  for (const [, target] of withoutCode(markdown).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target!)) continue;
    const [name, anchor] = target!.split('#') as [string, string?];
    const linked = name === '' ? file : path.resolve(path.dirname(file), decodeURIComponent(name));
    const where = `${path.relative(root, file)}: ${target}`;
    if (name.startsWith('/') || !existsSync(linked)) broken.push(`${where} does not exist`);
    else if (anchor !== undefined && linked.endsWith('.md')) {
      const text = linked === file ? markdown : readFileSync(linked, 'utf8');
      if (!anchorsOf(text).has(anchor)) broken.push(`${where} has no such heading`);
    }
  }
  return broken;
}

const pages = pagesBelow(root);

test('every relative link of a page leads to a file and a heading that exist', () => {
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap((file) => brokenLinks(file, readFileSync(file, 'utf8')))).toEqual([]);
});

test('a link to nowhere is found', () => {
  const page = path.join(root, 'README.md');
  const markdown = '# A page\n[a](docs/none.md) [b](#other) [c](#a-page) `[d](none)`\n```\n[e](none)\n```\n';
  expect(brokenLinks(page, markdown)).toEqual([
    'README.md: docs/none.md does not exist',
    'README.md: #other has no such heading',
  ]);
});

test('every decision record is in the list of records', () => {
  const list = readFileSync(path.join(root, 'docs/adr/README.md'), 'utf8');
  const records = readdirSync(path.join(root, 'docs/adr')).filter((name) => /^\d{4}-/.test(name));
  expect(records.length).toBeGreaterThan(0);
  expect(records.filter((name) => !list.includes(`(${name})`))).toEqual([]);
});
