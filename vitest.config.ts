import { defineConfig } from 'vitest/config'
import { closingLine } from './test/support/reporter.js'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'client/src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/support/loopback-only.ts'],
    reporters: ['default', closingLine],
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
})
