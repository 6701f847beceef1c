import { expect, test } from 'vitest';
import { DatasetRequest } from '../../../src/contracts/datasets.ts';

test('a file of an upload has 1 byte to 2 GiB', () => {
  const accepted = [0, 1, 2 ** 31, 2 ** 31 + 1].map(
    (size_bytes) => DatasetRequest.safeParse({ upload: { format: 'csv', size_bytes } }).success,
  );
  expect(accepted).toEqual([false, true, true, false]);
});
