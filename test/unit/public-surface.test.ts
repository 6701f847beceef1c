import { describe, expect, it } from 'vitest';
import * as tenantml from '../../src/index.ts';

describe('the public surface', () => {
  it('is what it was: a name that goes or comes is decided on here', () => {
    expect(Object.keys(tenantml).sort()).toMatchSnapshot();
  });

  it('trains, explains, exports and measures from plain records, without configuration', () => {
    const records = Array.from({ length: 300 }, (_, i) => ({
      amount: (i * 37) % 100,
      country: ['CH', 'DE', 'FR', null][i % 4],
      opened: new Date(Date.UTC(2026, i % 12, 1 + (i % 28))),
      vip: i % 3 === 0,
      churned: (i * 37) % 100 > 60 || i % 4 === 1 ? 'yes' : 'no',
    }));
    const table = tenantml.tableFromRecords(records);
    const { train, test } = tenantml.splitRows(table, { kind: 'random', testSize: 0.2, randomState: 1 });
    const result = tenantml.fitPipeline(tenantml.takeRows(table, train), {
      task: 'classification',
      target: 'churned',
      algorithm: 'gradient_boosting',
      hyperparameters: { min_samples_leaf: 5 },
      randomState: 1,
    });
    if (!result.done) throw new Error('paused without being asked');
    const rows = tenantml.takeRows(table, test);
    expect(tenantml.modelMetrics(result.model, rows).accuracy).toBeGreaterThan(0.9);
    expect(tenantml.explain(result.model, rows).features).toEqual(['amount', 'country', 'opened', 'vip']);
    expect(tenantml.exportOnnx(result.model).byteLength).toBeGreaterThan(1000);
  });
});
