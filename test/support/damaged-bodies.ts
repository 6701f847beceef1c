import { gzipSync } from 'node:zlib';
import { Random } from '../../src/ml/random.ts';

/** Values that break rules in their own way. */
const oddValues: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1e308,
    -1e308,
    2 ** 53,
    0.1,
    '',
    ' ',
    '0',
    'NaN',
    'null',
    '\0',
    '\ud800',
  ],
  ...[
    '2024-01-01',
    '2024-02-30',
    '9999999-01-01',
    '__proto__',
    'constructor',
    '../..',
    '%00',
    "'; DROP TABLE x;--",
  ],
  ...[[], {}, [[]], [{}], [null], { a: {} }, 'x'.repeat(10_000), [1, 'a', null, true], { length: 5 }],
];

/** JSON that is none, or more than JSON. */
const oddTexts: readonly string[] = [
  ...[
    '',
    ' ',
    '{',
    '}',
    '[',
    '"',
    'null',
    'true',
    '0',
    '-',
    'NaN',
    'Infinity',
    '[NaN]',
    '{"input_data":NaN}',
  ],
  ...['{"a":1,}', '[1,2', '\ufeff{}', '{"input_data":{"__proto__":{"small":1}}}', '{"inputs":Infinity}'],
  ...['['.repeat(5_000), '{"a":'.repeat(2_000), `[${'0,'.repeat(1_500)}0]`, `"${'\\u0000'.repeat(500)}"`],
];

/** Makes bodies out of good ones, a little or much worse. */
export class BodyDamage {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  pick<Value>(all: readonly Value[]): Value {
    return all[this.#random.nextInt(all.length)]!;
  }

  chance(share: number): boolean {
    return this.#random.nextFloat() < share;
  }

  /** A JSON value with some of its parts changed, left out, doubled or replaced. */
  value(good: unknown, depth = 0): unknown {
    if (this.chance(0.08)) return this.pick(oddValues);
    if (Array.isArray(good)) {
      const items = good.map((item) => this.value(item, depth + 1));
      if (this.chance(0.1)) items.splice(this.#random.nextInt(items.length + 1), 1);
      if (this.chance(0.1)) items.push(this.pick(oddValues));
      if (this.chance(0.02)) return Array.from({ length: 1_200 }, () => items[0]);
      return this.chance(0.03) ? [items] : items;
    }
    if (typeof good === 'object' && good !== null) {
      const entries = Object.entries(good).flatMap(([name, item]): [string, unknown][] => {
        if (this.chance(0.06)) return [];
        return [[this.chance(0.05) ? this.name(name) : name, this.value(item, depth + 1)]];
      });
      if (this.chance(0.1)) entries.push([this.name('extra'), this.pick(oddValues)]);
      return Object.fromEntries(entries);
    }
    return good;
  }

  name(name: string): string {
    return this.pick([
      name.toUpperCase(),
      `${name} `,
      name.slice(1),
      '',
      '__proto__',
      'tenant_id',
      '\u0000',
      name + name,
    ]);
  }

  /** The text of a good value, damaged in its parts or as a whole. */
  text(good: unknown): string {
    if (this.chance(0.05)) return this.pick(oddTexts);
    const text = JSON.stringify(this.value(good)) ?? '';
    if (this.chance(0.85)) return text;
    const at = this.#random.nextInt(text.length + 1);
    return this.pick([
      text.slice(0, at),
      text.slice(at),
      text.slice(0, at) + this.pick(['"', '}', ']', ',', '\0', '\ud83d', 'NaN', '1e999']) + text.slice(at),
      text.replaceAll('"', "'"),
    ]);
  }

  bytes(good: Uint8Array): Uint8Array {
    const bytes = Uint8Array.from(good);
    for (let n = this.#random.nextInt(4); n > 0 && bytes.length > 0; n--)
      bytes[this.#random.nextInt(bytes.length)] = this.#random.nextInt(256);
    return this.chance(0.3) ? bytes.slice(0, this.#random.nextInt(bytes.length + 1)) : bytes;
  }

  headers(good: Record<string, string>): Record<string, string> {
    const headers = { ...good };
    if (this.chance(0.05))
      headers['content-type'] = this.pick(['', 'text/csv', 'x', 'application/json; charset=latin1']);
    if (this.chance(0.05))
      headers['content-encoding'] = this.pick(['gzip', 'deflate', 'br', '', 'gzip, gzip']);
    if (this.chance(0.1))
      headers['accept-encoding'] = this.pick(['gzip', 'deflate', '*', ';;q=', 'gzip;q=0']);
    if (this.chance(0.03))
      headers['inference-header-content-length'] = this.pick(['0', '-1', '1e3', '99999999', 'x', '']);
    if (this.chance(0.02)) headers.prefer = this.pick(['respond-async', 'wait=1', ',,']);
    return headers;
  }

  packed(body: string | Uint8Array): Uint8Array {
    return this.bytes(gzipSync(body));
  }
}
