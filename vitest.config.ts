import { defineConfig } from 'vitest/config';

// Twice as many files at a time as there would be on two cores: most of them wait for processes of their own.
const shared = { testTimeout: 90_000, hookTimeout: 120_000, maxWorkers: 2 };

export default defineConfig({
  test: {
    projects: [
      // Without a network, a clock or state of their own: files may share a process, which saves loading everything anew.
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      {
        test: {
          ...shared,
          name: 'other',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**'],
        },
      },
    ],
  },
});
