import { describe, expect, it } from 'vitest';
import { ModelStage } from '../../../src/contracts/models.ts';
import { checkMetrics } from '../../../src/registry/registered-metrics.ts';
import { compareVersions, parseVersion } from '../../../src/registry/semantic-version.ts';
import { checkTransition } from '../../../src/registry/stage-transition.ts';

describe('stages', () => {
  const allowed = [
    'Development>Staging',
    'Development>Archived',
    'Development>Failed',
    'Staging>Production',
    'Staging>Development',
    'Staging>Archived',
    'Staging>Failed',
    'Production>Archived',
    'Archived>Development',
    'Archived>Staging',
    'Failed>Development',
    'Failed>Archived',
  ];
  const pairs = ModelStage.options.flatMap((from) => ModelStage.options.map((to) => [from, to] as const));

  it.each(pairs)(
    'go from %s to %s when the state machine has the step, else by force, which is said',
    (from, to) => {
      const isAllowed = from === to || allowed.includes(`${from}>${to}`);
      const step = (force: boolean) => checkTransition('1.0.0', from, to, { force });
      if (isAllowed) expect(step(false)).toEqual({ forced: false });
      else expect(() => step(false)).toThrow(expect.objectContaining({ code: 'STAGE_TRANSITION_REFUSED' }));
      expect(step(true)).toEqual({ forced: !isAllowed });
    },
  );

  it('say what to do instead of skipping Staging', () => {
    expect(() => checkTransition('1.0.0', 'Development', 'Production', { force: false })).toThrow(
      'version 1.0.0 is in Development, which is followed by Staging, Archived, Failed and not by Production; move it to Staging first',
    );
  });
});

describe('metrics', () => {
  it.each([
    { accuracy: 1.01 } as Record<string, number>,
    { accuracy: -0.1 },
    { r2: 1.5 },
    { rmse: -1 },
    { f1_score: Number.NaN },
    { own_score: Number.POSITIVE_INFINITY },
    { matthews_corrcoef: -1.5 },
  ])('outside of their range are refused: %j', (metrics) => {
    expect(() => checkMetrics(metrics)).toThrow(expect.objectContaining({ code: 'METRIC_OUT_OF_RANGE' }));
  });

  it('within it are taken, those of unknown names as they are, and bounds with the rounding of floats', () => {
    checkMetrics({ accuracy: 1, roc_auc: 1 + 1e-12, r2: -1e9, rmse: 0, own_score: -7, constructor: 3 });
  });
});

describe('version numbers', () => {
  it('are compared by number, not by letter', () => {
    expect(compareVersions('2.0.0', '1.9.9')).toBeGreaterThan(0);
    expect(compareVersions('1.10.0', '1.9.0')).toBeGreaterThan(0);
    expect(compareVersions('1.0.0', '1.0.0')).toBe(0);
  });

  it.each(['1.0', '1.0.0.0', 'v1.0.0', '01.0.0', '1.-1.0', '1.0.0-rc1', '', '1.0.1234567890', ' 1.0.0'])(
    'are refused as %j',
    (version) => {
      expect(() => parseVersion(version)).toThrow(
        expect.objectContaining({ code: 'VERSION_NUMBER_INVALID' }),
      );
    },
  );
});
