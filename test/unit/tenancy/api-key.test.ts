import { describe, expect, it } from 'vitest';
import { isMistyped, newApiKey, shownPrefix } from '../../../src/tenancy/api-key.ts';

describe('an API key', () => {
  it('has the form by which searches for secrets find it, and is never the same twice', () => {
    const keys = Array.from({ length: 1_000 }, () => newApiKey());
    for (const key of keys) expect(key).toMatch(/^tml_[0-9A-Za-z]{42}$/);
    expect(new Set(keys).size).toBe(1_000);
  });

  it('takes every letter from as many bytes as any other, and drops the few bytes that are left over', () => {
    const seen = new Map<string, number>();
    for (let byte = 0; byte < 248; byte++) {
      const secret = newApiKey((bytes) => new Uint8Array(bytes).fill(byte)).slice(4, 40);
      seen.set(secret, (seen.get(secret) ?? 0) + 1);
    }
    expect([seen.size, new Set(seen.values())]).toEqual([62, new Set([4])]);
    for (let byte = 248; byte < 256; byte++) {
      let calls = 0;
      const key = newApiKey((bytes) => new Uint8Array(bytes).fill(calls++ === 0 ? byte : 0));
      expect(key.slice(4, 40)).toBe('0'.repeat(36));
    }
  });

  it('is told from a mistyped one, at every place', () => {
    const key = newApiKey();
    expect(isMistyped(key)).toBe(false);
    for (let i = 4; i < key.length; i++) {
      const wrong = `${key.slice(0, i)}${key[i] === 'x' ? 'y' : 'x'}${key.slice(i + 1)}`;
      expect(isMistyped(wrong), wrong).toBe(true);
    }
  });

  it('of another form may be one that an operator made by hand', () => {
    expect(isMistyped(`tml_${'0a'.repeat(24)}`)).toBe(false);
  });

  it('shows six of its letters', () => {
    expect(shownPrefix('tml_abcdefghij')).toBe('tml_abcdef');
  });
});
