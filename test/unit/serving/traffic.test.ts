import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServingPointer, ServingVariant } from '../../../src/serving/serving-pointer.ts';
import { variantFor, variantOfVersion } from '../../../src/serving/traffic.ts';
import { modelName } from '../../support/tenants.ts';

const variant = (version: string): ServingVariant => ({
  ...{ version, artifact_key: 'a', artifact_sha256: 's', artifact_bytes: 1 },
  ...{ manifest_key: 'm', manifest_sha256: version },
});
const pointer = (weight?: number): ServingPointer => ({
  ...variant('1.0.0'),
  ...{ model_name: modelName('income'), revision: 1 },
  ...(weight === undefined ? {} : { canary: { ...variant('1.1.0'), weight } }),
});

describe('traffic between champion and canary', () => {
  it('is all for the champion where there is no canary', () => {
    expect(variantFor(pointer(), undefined, () => 0).version).toBe('1.0.0');
    expect(variantFor(pointer(), 'anyone').version).toBe('1.0.0');
  });

  it('is divided at the weight, to one in ten thousand', () => {
    expect(variantFor(pointer(0.25), undefined, () => 2_499).version).toBe('1.1.0');
    expect(variantFor(pointer(0.25), undefined, () => 2_500).version).toBe('1.0.0');
  });

  it('sticks by key, and a larger weight takes nobody from the canary', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0.01, max: 0.98 }), (key, weight) => {
        const first = variantFor(pointer(weight), key).version;
        expect(variantFor(pointer(weight), key).version).toBe(first);
        if (first === '1.1.0') expect(variantFor(pointer(weight + 0.01), key).version).toBe('1.1.0');
      }),
      { seed: 4 },
    );
  });

  it('gives the canary its share of the keys', () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
    const nCanary = keys.filter((key) => variantFor(pointer(0.1), key).version === '1.1.0').length;
    // Binomial with p = 0.1: the standard deviation is 30; fixed keys, so that this is no matter of luck.
    expect(Math.abs(nCanary - 1_000)).toBeLessThan(120);
  });

  it('knows the versions that take part', () => {
    expect(variantOfVersion(pointer(0.5), '1.1.0')?.version).toBe('1.1.0');
    expect(variantOfVersion(pointer(0.5), '1.0.0')?.version).toBe('1.0.0');
    expect(variantOfVersion(pointer(0.5), '1.2.0')).toBeUndefined();
  });
});
