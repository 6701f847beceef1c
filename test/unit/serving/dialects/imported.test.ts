import { describe, expect, it } from 'vitest';
import type { ImportedSignature } from '../../../../src/contracts/imported.ts';
import { predictEach } from '../../../../src/serving/dialects/native.ts';
import { checkMethod } from '../../../../src/serving/dialects/scoring.ts';
import type { FeatureBatch } from '../../../../src/serving/feature-batch.ts';
import { sampleManifest } from '../../../support/samples.ts';
import { modelName } from '../../../support/tenants.ts';

const imported: ImportedSignature = {
  ...{ inputs: [], outputs: [], rows: 'matrix', label: 'label', resident_bytes: 1, bytes_per_row: 1 },
  accepts_missing: false,
};
const manifest = sampleManifest({
  features: [{ name: 'x', type: 'number', input: 'X[0]' }],
  classes: ['a', 'b'],
  origin: 'imported',
  imported,
});

describe('rows that stand for themselves, for a graph that takes no missing values', () => {
  it('fail one by one, each by its own name', async () => {
    let scored: FeatureBatch | undefined;
    const body = { input_batch: [{ x: 'bad' }, { x: 1 }, { x: null }, { x: 2 }] };
    const { results } = await predictEach(body, async (read) => {
      const batch = read(manifest);
      scored = batch;
      return {
        ...{ model: modelName('m'), version: '1.0.0', manifest, batch, cache: 'hit' },
        ...{ output: { labels: ['a', 'b'] }, ids: ['id-1', 'id-2'] },
        ...{ outputCache: undefined, explanations: undefined },
      };
    });
    expect(scored!.features[0]!.data).toEqual(Float32Array.of(1, 2));
    expect(results).toMatchObject([
      { error: { errors: [{ pointer: '/input_batch/0/x' }] } },
      { prediction: 'a' },
      {
        error: { detail: expect.stringContaining('x is missing'), errors: [{ pointer: '/input_batch/2/x' }] },
      },
      { prediction: 'b' },
    ]);
  });
});

describe('a graph that gives labels alone', () => {
  it('is not run for probabilities, so that nothing is logged that was refused', () => {
    expect(() => checkMethod(manifest, 'predict')).not.toThrow();
    expect(() => checkMethod(manifest, 'predict_proba')).toThrow('no probabilities');
    const both = { ...manifest, imported: { ...imported, probabilities: 'p' } };
    expect(() => checkMethod(both, 'predict_proba')).not.toThrow();
  });
});
