import { describe, expect, it } from 'vitest'
import { cargo } from './cargo.js'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('cargo', () => {
  // doc.rust-lang.org/cargo/reference/resolver.html, "Version metadata".
  it('is SemVer, without metadata', () => {
    expect(
      disagreements(cargo, parseComparisons(['1.0.0-rc.1 < 1.0.0', '0.9.1+zstd.1 = 0.9.1', '0.0.0-0 < 0.0.0'])),
    ).toEqual([])
    expect(isVersion(cargo, '1.02.0')).toBe(false)
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', '+', '.0', '-a']

isTotalOrder(cargo, ['1.2.3', '0.0.0-0', '1.0.0-alpha.1+build.5'], pieces)

agreesWithTables(cargo, { files: ['semver-versions.txt'], pieces })
