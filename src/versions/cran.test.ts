import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { cran } from './cran.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('cran', () => {
  // R 4, ?numeric_version: a list of numbers, "-" the same as ".".
  it('orders lists of numbers', () => {
    const lines = parseComparisons([
      '1.2-3 = 1.2.3',
      '1.2 < 1.2.0',
      '1.02 = 1.2',
      '1.9 < 1.10',
      '1.20210530193627 < 1.20210530193628',
    ])
    expect(disagreements(cran, lines)).toEqual([])
  })

  it('refuses all else', () => {
    for (const text of ['', '1.', '1..2', '1.a', '1_2', '-1', '1--2', '1 ', '1.2\n'])
      expect([text, isVersion(cran, text)]).toEqual([text, false])
  })
})

const pieces = ['.', '-', '0', '1', '10', '.0', '-1', 'a']

isTotalOrder(cran, ['1.2-3', '0', '0.0.1', '2024.10'], pieces)

agreesWithTables(cran, { files: ['cran-versions.txt', 'cran-versions-generated.txt'], pieces })
