import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { gem } from './gem.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('gem', () => {
  // Each line is what Gem::Version of RubyGems 3.3.15 answered.
  it('orders as Gem::Version does', () => {
    const lines = parseComparisons([
      '1.0 = 1',
      '1.0.0.a = 1.a',
      '1.a < 1',
      '1.0.a < 1.0',
      '1.a.0 = 1.a',
      '1.a < 1.a.1',
      '1.a.b < 1.a',
      '1.a.b < 1.a.0.b',
      '1.a.0.b < 1.a',
      '1.a < 1.a.0.1',
      '1.a.0.1 < 1.a.1',
      '1.a10 > 1.a9',
      '1.a2 = 1.a.2',
      '1.A < 1.a',
      '1-1 < 1',
      '1-1 = 1.pre.1',
      '1.0-rc1 < 1.0',
      '1.b < 1.pre',
      '1.01 = 1.1',
      '2.9 < 2.10',
      '1.20210530193627 < 1.20210530193628',
    ])
    expect(disagreements(gem, lines)).toEqual([])
  })

  it('refuses what Gem::Version refuses, and nothing at all', () => {
    const invalid = ['', ' ', 'a', '.1', '1.', '1..2', '1_0', '1+1', '1.0-', '1-a..b', '1 2', 'v1', '1.é', '>= 1.0']
    for (const text of invalid) expect([text, isVersion(gem, text)]).toEqual([text, false])
    expect(isVersion(gem, ' 1.0\n')).toBe(true)
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', 'Z', 'pre', '.0', '.a', '.0.a', '.0.1', '-1']

isTotalOrder(gem, ['1.2.3', '1.0.0.rc1', '1.0-java', '1.a.0.b', '0'], pieces)

agreesWithTables(gem, { files: ['rubygems-versions.txt', 'rubygems-versions-generated.txt'], pieces })
