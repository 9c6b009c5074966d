import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { hackage } from './hackage.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('hackage', () => {
  // Data.Version of base 4.18: the order of lists of numbers.
  it('orders lists of numbers', () => {
    const lines = parseComparisons(['1 < 1.0', '1.9 < 1.10', '0.1.2.3 < 0.1.3', '1.20210530193627 < 1.20210530193628'])
    expect(disagreements(hackage, lines)).toEqual([])
  })

  it('refuses all else', () => {
    for (const text of ['', '1.', '1..2', '1.a', '1-2', '1.0-tag', '1 ', '1\n'])
      expect([text, isVersion(hackage, text)]).toEqual([text, false])
  })
})

const pieces = ['.', '0', '1', '10', '.0', '-1', 'a']

isTotalOrder(hackage, ['1.2.3.4', '0', '0.0.1'], pieces)

agreesWithTables(hackage, { files: ['hackage-versions.txt'], pieces })
