import { expect, test } from 'vitest';
import { csvRows } from '../../../src/cli/commands/predict.ts';
import { missingTexts } from '../../../src/contracts/datasets.ts';
import type { FeatureSpec } from '../../../src/contracts/models.ts';

const features: FeatureSpec[] = [
  { name: 'n', type: 'number', input: 'n' },
  { name: 'c', type: 'category', input: 'c' },
];

test('every text that ingest takes for a missing value is one in the rows of a CSV to predict', () => {
  expect(missingTexts).toContain('n/a');
  const lines = missingTexts.map((text) => `${text},"${text}"`).join('\n');
  expect(csvRows(`n,c\n${lines}\n`, features)).toEqual(missingTexts.map(() => ({ n: null, c: null })));
});
