import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../../src/ml/base64.ts';

describe('base64', () => {
  it('is that of the platform, whatever the padding, and comes back', () => {
    for (const length of [0, 1, 2, 3, 4, 5, 6, 255, 256, 65_536, 100_001]) {
      const bytes = Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
      const text = toBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(Buffer.compare(fromBase64(text), bytes)).toBe(0);
    }
  });

  it('reads only the part of a buffer that it is given', () => {
    const part = Uint8Array.of(9, 1, 2, 9, 9).subarray(1, 3);
    expect(toBase64(part)).toBe('AQI=');
  });
});
