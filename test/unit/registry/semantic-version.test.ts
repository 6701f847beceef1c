import { describe, expect, it } from 'vitest';
import { nextVersion, schemaHash } from '../../../src/registry/semantic-version.ts';
import { sampleManifest } from '../../support/samples.ts';

describe('nextVersion', () => {
  it.each([
    [undefined, 'major', '1.0.0'],
    [undefined, 'patch', '1.0.0'],
    ['1.0.0', 'minor', '1.1.0'],
    ['1.9.0', 'minor', '1.10.0'],
    ['1.10.3', 'minor', '1.11.0'],
    ['1.10.3', 'major', '2.0.0'],
    ['9.9.9', 'major', '10.0.0'],
    ['1.2.3', 'patch', '1.2.4'],
  ] as const)('of %s by %s is %s', (latest, bump, next) => {
    expect(nextVersion(latest, bump)).toBe(next);
  });
});

describe('schemaHash', () => {
  const base = sampleManifest();
  const hash = schemaHash(base);

  it('stays the same for a retrain with other metrics, parameters and data', () => {
    expect(
      schemaHash(
        sampleManifest({ metrics: { f1_score: 0.1 }, hyperparameters: {}, algorithm: 'logistic_regression' }),
      ),
    ).toBe(hash);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a feature less', { features: [base.features[0]] }],
    [
      'a feature of another type',
      { features: [{ ...base.features[0], type: 'category' }, base.features[1]] },
    ],
    ['features in another order', { features: [...base.features].reverse() }],
    ['another class', { classes: ['no', 'yes', 'perhaps'] }],
    ['classes of another type', { classes: [0, 1] }],
    ['another target', { target: 'other' }],
    ['another task', { task: 'regression', classes: undefined }],
  ])('changes with %s', (_, over) => {
    expect(schemaHash(sampleManifest(over))).not.toBe(hash);
  });
});
