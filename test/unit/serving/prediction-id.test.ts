import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  environmentName,
  nextBatch,
  PredictionIds,
  partsOfPredictionId,
} from '../../../src/serving/prediction-id.ts';

const ids = new PredictionIds(Buffer.alloc(32, 7));
const at = { batch: 9, firstRow: 0 };
const of = { tenantId: 'acme', model: 'income', version: '1.0.0' };

describe('prediction ids', () => {
  it('are 32 characters, all different, and known again for their tenant, model and version', () => {
    const given = [
      ...ids.issue(of, { batch: nextBatch(), firstRow: 0 }, 1_000, 1_700_000_000_000),
      ...ids.issue(of, { batch: nextBatch(), firstRow: 0 }, 1_000, 1_700_000_000_000),
    ];
    expect(new Set(given).size).toBe(2_000);
    for (const id of given) {
      expect(id).toMatch(/^[\w-]{32}$/);
      expect(ids.wasIssued(id, of)).toBe(true);
    }
  });

  it('lead to the record of the prediction: time, process, batch and row', () => {
    const given = ids.issue(of, { batch: 0xfffffe, firstRow: 65_000 }, 3, 1_700_000_000_123);
    expect(given.map(partsOfPredictionId)).toEqual(
      [65_000, 65_001, 65_002].map((row) => ({
        ...{ timeMs: 1_700_000_000_123, environment: environmentName, batch: 0xfffffe, row },
      })),
    );
    expect(partsOfPredictionId('none')).toBeUndefined();
  });

  it.each([
    ['another tenant', { ...of, tenantId: 'acme2' }],
    ['another model', { ...of, model: 'incom' }],
    ['another version', { ...of, version: '1.0.1' }],
    ['parts cut elsewhere', { tenantId: 'acme\nincome', model: '1.0.0', version: '' }],
  ])('are unknown for %s', (_, other) => {
    const [id] = ids.issue(of, at, 1, 1_700_000_000_000);
    expect(ids.wasIssued(id!, other)).toBe(false);
  });

  it('are unknown under another key', () => {
    const [id] = ids.issue(of, at, 1, 0);
    expect(new PredictionIds(Buffer.alloc(32, 8)).wasIssued(id!, of)).toBe(false);
  });

  it('are unknown when one character is changed, cut or added', () => {
    const [id] = ids.issue(of, at, 1, 1_700_000_000_000);
    fc.assert(
      fc.property(fc.nat(31), fc.constantFrom(...'Aa0_-Zz9=+/ '), (at, letter) => {
        fc.pre(id![at] !== letter);
        expect(ids.wasIssued(id!.slice(0, at) + letter + id!.slice(at + 1), of)).toBe(false);
        expect(ids.wasIssued(id!.slice(0, at), of)).toBe(false);
        expect(ids.wasIssued(id! + letter, of)).toBe(false);
      }),
      { seed: 6 },
    );
    expect(ids.wasIssued('', of)).toBe(false);
  });
});
