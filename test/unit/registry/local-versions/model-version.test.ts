import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ValidationError } from '../../../../src/errors.ts';
import { ModelMetadata } from '../../../../src/registry/local-versions/model-metadata.ts';
import { ModelMetrics } from '../../../../src/registry/local-versions/model-metrics.ts';
import { ModelStage } from '../../../../src/registry/local-versions/model-stage.ts';
import { createModelVersion, ModelVersion } from '../../../../src/registry/local-versions/model-version.ts';

const number = fc.integer({ min: 0, max: 999_999_999 });

describe('ModelVersion', () => {
  it('compares by numbers: 2.0.0 is above 1.9.9, and 1.10.0 above 1.9.0', () => {
    expect(new ModelVersion('2.0.0') > new ModelVersion('1.9.9')).toBe(true);
    expect(new ModelVersion('1.9.0') > new ModelVersion('1.10.0')).toBe(false);
    expect(new ModelVersion('1.0.0').compareTo(new ModelVersion('1.0.0'))).toBe(0);
    expect(
      [new ModelVersion('1.10.0'), new ModelVersion('1.9.0')].sort((a, b) => a.compareTo(b)).map(String),
    ).toEqual(['1.9.0', '1.10.0']);
  });

  it('has one order, whether by operator or by compareTo', () => {
    const version = fc.tuple(number, number, number).map((parts) => new ModelVersion(parts.join('.')));
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(a > b).toBe(a.compareTo(b) > 0);
        expect(a < b).toBe(a.compareTo(b) < 0);
      }),
    );
  });

  it.each(['1.0', '1.0.0-rc1', 'v1.0.0', '01.0.0', '1.0.0.0', '', '1.0.-1', '1000000000.0.0'])(
    'refuses %j, which is no version number',
    (text) => {
      expect(() => ModelVersion.parse(text)).toThrow(ValidationError);
      expect(() => ModelVersion.parse(text)).toThrow(/must be MAJOR\.MINOR\.PATCH/);
    },
  );

  it('says which number follows', () => {
    const version = new ModelVersion('1.4.2');
    expect([version.next('major'), version.next('minor'), version.next('patch')]).toEqual([
      ...['2.0.0', '1.5.0', '1.4.3'],
    ]);
  });

  it('is made with all that is known of it', () => {
    const version = createModelVersion({
      versionString: '1.0.0',
      metrics: { accuracy: 0.92, f1_score: 0.91 },
      modelPath: 'ml/models/model_v1.0.0.onnx',
      framework: 'scikit-learn',
      stage: 'Production',
      createdAt: '2026-01-31T12:00:00.000Z',
    });
    expect(version.version).toBe('1.0.0');
    expect(version.metadata.toJSON()).toEqual({
      metrics: { accuracy: 0.92, f1_score: 0.91 },
      model_path: 'ml/models/model_v1.0.0.onnx',
      framework: 'scikit-learn',
      stage: 'Production',
      description: '',
      tags: {},
      created_at: '2026-01-31T12:00:00.000Z',
    });
  });
});

describe('ModelMetrics', () => {
  it.each([
    ['accuracy', 1.2],
    ['f1_score', -0.1],
    ['rmse', -1],
    ['r2', 1.5],
    ['anything', Number.NaN],
  ])('refuses %s=%d, which its definition does not allow', (name, value) => {
    expect(() => new ModelMetrics({ [name]: value })).toThrow(/must be/);
    expect(() => createModelVersion({ versionString: '1.0.0', metrics: { [name]: value } })).toThrow(
      ValidationError,
    );
  });

  it('takes what is in range, and metrics that have no definition', () => {
    const metrics = new ModelMetrics({ accuracy: 1, r2: -3, churn_cost: 1e6 });
    expect([metrics.get('r2'), metrics.get('absent'), metrics.get('toString')]).toEqual([
      -3,
      undefined,
      undefined,
    ]);
    expect(JSON.stringify(metrics)).toBe('{"accuracy":1,"r2":-3,"churn_cost":1000000}');
  });

  it('does not change when what it was made of does', () => {
    const values = { accuracy: 0.9 };
    const metrics = new ModelMetrics(values);
    values.accuracy = 0.1;
    expect(metrics.get('accuracy')).toBe(0.9);
  });
});

describe('ModelMetadata', () => {
  it('lets its stage be set, to a stage', () => {
    const metadata = new ModelMetadata();
    expect(metadata.stage).toBe('Development');
    metadata.stage = ModelStage.STAGING;
    expect(metadata.stage).toBe('Staging');
    expect(() => {
      metadata.stage = 'Live' as never;
    }).toThrow(/must be one of "Development"/);
    expect(metadata.stage).toBe('Staging');
  });

  it('names every field that breaks a rule', () => {
    const make = () => new ModelMetadata({ framework: 'pickle' as never, createdAt: 'yesterday' });
    expect(make).toThrow(ValidationError);
    try {
      make();
    } catch (error) {
      const pointers = (error as ValidationError).errors.map(({ pointer }) => pointer);
      expect(pointers).toEqual(['/framework', '/created_at']);
    }
  });

  it('is of the time of its clock', () => {
    expect(new ModelMetadata({}, { nowMs: () => 0 }).createdAt).toBe('1970-01-01T00:00:00.000Z');
  });
});
