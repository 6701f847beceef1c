import { defineConfig } from 'vitest/config';

const timeouts = { testTimeout: 90_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      // Without a network, a clock or state of their own: files may share a process, which saves loading everything anew.
      { test: { ...timeouts, name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      {
        test: {
          ...timeouts,
          name: 'other',
          include: ['test/**/*.test.ts'],
          exclude: ['test/unit/**'],
        },
      },
    ],
  },
});
