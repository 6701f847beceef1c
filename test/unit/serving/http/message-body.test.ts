import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../../src/serving/http/message-body.ts';

describe('JSON as Python writes it', () => {
  it('has NaN for missing, outside of texts only', () => {
    expect(parseJson('{"a": NaN, "b": ["NaN", NaN], "c": "a \\" NaN \\\\"}')).toEqual({
      a: null,
      b: ['NaN', null],
      c: 'a " NaN \\',
    });
  });

  it('is refused when a text has no end, by looking at each character once', () => {
    // Begun anew at each quote, this would take as many steps as the square of its length.
    const quotes = '\\"'.repeat(1_000_000);
    for (const end of ['', '\\', '\n', '\\\n']) {
      expect(() => parseJson(`{"a":NaN,"b":"${quotes}${end}`)).toThrow(
        expect.objectContaining({ code: 'INVALID_JSON' }),
      );
    }
  });
});
