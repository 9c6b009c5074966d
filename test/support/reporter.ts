import type { Reporter, TestCase, TestModule } from 'vitest/node'

/**
 * Names every group of tests that was skipped, with its reason, and ends the output with one line of counts: a skip that
 * nobody sees is a test that nobody misses.
 */
export const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const skipped = new Map<string, number>()
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state } = test.result()
      if (state === 'passed' || state === 'failed') counts[state]++
      else {
        counts.skipped++
        skipped.set(reasonOf(test), (skipped.get(reasonOf(test)) ?? 0) + 1)
      }
    }
    // A file that does not load has no tests that could fail.
    counts.failed += errors.length + modules.filter((module) => module.errors().length > 0).length
    for (const [name, count] of skipped) process.stdout.write(`skipped: ${name} (${count})\n`)
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
  },
}

function reasonOf(test: TestCase): string {
  let { parent } = test
  while (parent.type === 'suite') {
    if (parent.name.includes('[skipped:')) return parent.name
    parent = parent.parent
  }
  return test.fullName
}
