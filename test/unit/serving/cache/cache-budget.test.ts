import { expect, it } from 'vitest';
import { cacheBudgetBytes } from '../../../../src/serving/cache/cache-budget.ts';

const mebibyte = 1024 * 1024;

it.each([
  // (1,769 - 320) × 0.8 = 1,159.2 MiB
  [1769, Math.floor(1159.2 * mebibyte)],
  // (512 - 320) × 0.8 = 153.6 MiB
  [512, Math.floor(153.6 * mebibyte)],
  // Less than the runtime: what is needed to serve anything at all.
  [128, 32 * mebibyte],
])('gives models their part of a function with %i MiB', (memoryMiB, bytes) => {
  expect(cacheBudgetBytes(memoryMiB)).toBe(bytes);
});
