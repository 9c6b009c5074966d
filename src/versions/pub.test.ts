import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { pub } from './pub.js'
import { isVersion } from './version-order.js'

describe('pub', () => {
  // pub_semver 2.1, README: "build suffixes are compared", with the order of its own tests.
  it('is SemVer, where metadata counts', () => {
    const lines = parseComparisons([
      '1.0.0-rc.1 < 1.0.0-rc.1+build.1',
      '1.0.0-rc.1+build.1 < 1.0.0',
      '1.0.0 < 1.0.0+0.3.7',
      '1.0.0+0.3.7 < 1.3.7+build',
      '1.3.7+build < 1.3.7+build.2.b8f12d7',
      '1.3.7+build.2.b8f12d7 < 1.3.7+build.11.e0f985a',
      '1.0.0+01 = 1.0.0+1',
    ])
    expect(disagreements(pub, lines)).toEqual([])
    expect(isVersion(pub, '1.0.0+')).toBe(false)
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', '+', '+1', '+a', '.0', '-a']

isTotalOrder(pub, ['1.2.3', '0.0.0-0', '1.0.0-alpha.1+build.5', '1.2.3+9a'], pieces)

agreesWithTables(pub, { files: ['pub-versions.txt'], pieces })
