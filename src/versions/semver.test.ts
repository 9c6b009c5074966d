import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { semver } from './semver.js'
import { isVersion } from './version-order.js'

describe('semver', () => {
  // SemVer 2.0.0, section 11, and the example it gives.
  it('orders as section 11 says', () => {
    const lines = parseComparisons([
      '1.0.0-alpha < 1.0.0-alpha.1',
      '1.0.0-alpha.1 < 1.0.0-alpha.beta',
      '1.0.0-alpha.beta < 1.0.0-beta',
      '1.0.0-beta < 1.0.0-beta.2',
      '1.0.0-beta.2 < 1.0.0-beta.11',
      '1.0.0-beta.11 < 1.0.0-rc.1',
      '1.0.0-rc.1 < 1.0.0',
      '1.0.0-9 < 1.0.0-10',
      '1.0.0-99 < 1.0.0-9a',
      '1.0.0-A < 1.0.0-a',
      '1.0.0-a < 1.0.0-a-b',
      '1.0.0-a.b < 1.0.0-a-b',
      '1.0.0+1 = 1.0.0+2',
      '1.0.0-a+1 = 1.0.0-a',
    ])
    expect(disagreements(semver, lines)).toEqual([])
  })

  it('fills missing parts with 0, and takes a leading v or =', () => {
    const lines = parseComparisons([
      '1 = 1.0.0',
      'v1.2 = 1.2.0',
      '=1.2.3 = 1.2.3',
      '1-rc.1 < 1',
      '1.2-beta < 1.2.0',
      '0 = 0.0.0',
    ])
    expect(disagreements(semver, lines)).toEqual([])
  })

  it('refuses what is not SemVer', () => {
    const numbers = [
      '',
      'v',
      '1.',
      '1..2',
      '1.2.3.4',
      '01.2.3',
      '1.02.3',
      '1.2.03',
      'vv1',
      '1.x',
      '1.2.*',
      'latest',
      '(devel)',
    ]
    const rest = ['1.2.3-', '1.2.3-01', '1.2.3-a..b', '1.2.3+', '1.2.3+a+b', '1.2.3-é', '1.2.3 ', '^1.2.3', '1.2.3\n']
    for (const text of [...numbers, ...rest]) expect([text, isVersion(semver, text)]).toEqual([text, false])
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', 'Z', '+', 'v', '.0', '.a', '-a', '-1', '--']

isTotalOrder(semver, ['1.2.3', '0.0.0-0', '1.0.0-alpha.1+build.5', 'v2.0.0', '1.0.0--'], pieces)

agreesWithTables(semver, { files: ['semver-versions.txt'], pieces })
