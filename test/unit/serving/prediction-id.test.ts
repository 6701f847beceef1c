import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPredictionId, predictionIds } from '../../../src/serving/prediction-id.ts';

const key = Buffer.alloc(32, 7);
const of = { tenantId: 'acme', model: 'income', version: '1.0.0' };

describe('prediction ids', () => {
  it('are 32 characters, all different, and known again for their tenant, model and version', () => {
    const ids = [
      ...predictionIds(key, of, 1_000, 1_700_000_000_000),
      ...predictionIds(key, of, 1_000, 1_700_000_000_000),
    ];
    expect(new Set(ids).size).toBe(2_000);
    for (const id of ids) {
      expect(id).toMatch(/^[\w-]{32}$/);
      expect(isPredictionId(key, id, of)).toBe(true);
    }
  });

  it.each([
    ['another tenant', { ...of, tenantId: 'acme2' }],
    ['another model', { ...of, model: 'incom' }],
    ['another version', { ...of, version: '1.0.1' }],
    ['parts cut elsewhere', { tenantId: 'acme\nincome', model: '1.0.0', version: '' }],
  ])('are unknown for %s', (_, other) => {
    const [id] = predictionIds(key, of, 1, 1_700_000_000_000);
    expect(isPredictionId(key, id!, other)).toBe(false);
  });

  it('are unknown under another key', () => {
    const [id] = predictionIds(key, of, 1, 0);
    expect(isPredictionId(Buffer.alloc(32, 8), id!, of)).toBe(false);
  });

  it('are unknown when one character is changed, cut or added', () => {
    const [id] = predictionIds(key, of, 1, 1_700_000_000_000);
    fc.assert(
      fc.property(fc.nat(31), fc.constantFrom(...'Aa0_-Zz9=+/ '), (at, letter) => {
        fc.pre(id![at] !== letter);
        expect(isPredictionId(key, id!.slice(0, at) + letter + id!.slice(at + 1), of)).toBe(false);
        expect(isPredictionId(key, id!.slice(0, at), of)).toBe(false);
        expect(isPredictionId(key, id! + letter, of)).toBe(false);
      }),
      { seed: 6 },
    );
    expect(isPredictionId(key, '', of)).toBe(false);
  });
});
