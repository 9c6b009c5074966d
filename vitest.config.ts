import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { closingLine } from './test/support/reporter.js'

export default defineConfig({
  test: {
    setupFiles: ['test/support/loopback-only.ts'],
    reporters: ['default', closingLine],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // One for each core, not one less: tests wait for processes and sockets most of the time.
    maxWorkers: availableParallelism(),
    projects: [
      // Modules keep no state between tests: loading them once for all files halves the time.
      {
        extends: true,
        test: { name: 'units', include: ['src/**/*.test.ts', 'client/src/**/*.test.ts'], isolate: false },
      },
      { extends: true, test: { name: 'whole', include: ['test/**/*.test.ts'] } },
    ],
  },
})
