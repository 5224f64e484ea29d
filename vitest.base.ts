import { defineConfig } from 'vitest/config'

/** Shared by every package: the JSON report is what the CI script sums its totals from. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: { json: '.vitest/results.json' },
    // Many tests wait for processes to start, which a busy machine lets wait.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
  },
})
