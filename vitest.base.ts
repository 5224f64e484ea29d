import { defineConfig } from 'vitest/config'

/** Shared by every package: the JSON report is what the CI script sums its totals from. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: '.vitest/results.json' },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Some wait for processes to start, which a busy machine lets wait.
    expect: { poll: { timeout: 10_000 } },
  },
})
