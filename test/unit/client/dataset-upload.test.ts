import { describe, expect, it } from 'vitest';
import { formatOf } from '../../../src/client/dataset-upload.ts';

describe('formatOf', () => {
  it.each([
    ['a.csv', { format: 'csv', compression: 'none' }],
    ['A.CSV.GZ', { format: 'csv', compression: 'gzip' }],
    ['a.b.tsv', { format: 'csv', compression: 'none', delimiter: '\t' }],
    ['a.tsv.gz', { format: 'csv', compression: 'gzip', delimiter: '\t' }],
    ['a.jsonl', { format: 'jsonl', compression: 'none' }],
    ['a.ndjson.gz', { format: 'jsonl', compression: 'gzip' }],
    ['/data/x.parquet', { format: 'parquet', compression: 'none' }],
  ])('of %s is known by its name', (name, format) => {
    expect(formatOf(name)).toEqual(format);
  });

  it.each(['a.xlsx', 'a.json', 'a', 'a.gz', 'a.parquet.gz', 'csv', 'a.csv.zip', 'a.csv/'])(
    'of %s is not known',
    (name) => {
      expect(formatOf(name)).toBeUndefined();
    },
  );
});
