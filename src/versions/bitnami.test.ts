import { describe, expect, it } from 'vitest'
import { bitnami } from './bitnami.js'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('bitnami', () => {
  // github.com/bitnami/go-version v1.0.0, README: "the bigger the revision number, the newer the version".
  it('is SemVer, where what follows the hyphen makes newer', () => {
    const lines = parseComparisons([
      '1.2.3 < 1.2.3-1',
      '1.2.3-1 < 1.2.3-2',
      '1.2.3-9 < 1.2.3-10',
      '1.2.3-10 < 1.2.4',
      '1.2 = 1.2.0',
    ])
    expect(disagreements(bitnami, lines)).toEqual([])
    expect(isVersion(bitnami, '1.2.3.4')).toBe(false)
  })
})

isTotalOrder(bitnami, ['1.2.3', '1.2.3-1', '2.4.57-10', '1.0'], ['.', '-', '0', '1', '10', 'a', '+', '.0', '-a'])
