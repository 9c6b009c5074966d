import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { maven } from './maven.js'
import { agreesWithTables, type Contradiction, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('maven', () => {
  // maven.apache.org/pom.html, "Version Order Specification", and ComparableVersion of Maven 3.9.11, which answers the same.
  it('orders as the specification and Maven do', () => {
    const lines = parseComparisons([
      '1 < 1.1',
      '1-snapshot < 1',
      '1 < 1-sp',
      '1-foo2 < 1-foo10',
      '1.foo = 1-foo',
      '1-foo < 1-1',
      '1-1 < 1.1',
      '1.ga = 1-ga',
      '1-ga = 1-0',
      '1-0 = 1.0',
      '1.0 = 1',
      '1-sp > 1-ga',
      '1-sp.1 > 1-ga.1',
      '1 < 1-ga.1',
      '1..1 = 1.0.1',
      '.1 < 1',
      '1-a1 = 1-alpha-1',
      '1-b2 = 1-beta-2',
      '1-m3 = 1-milestone-3',
      '1-a < 1-b',
      '1-a > 1',
      '1-alpha < 1-beta',
      '1-beta < 1-milestone',
      '1-milestone < 1-rc',
      '1-rc < 1-snapshot',
      '1-cr = 1-RC',
      '1-sp < 1-abc',
      '1.0.0.Final = 1',
      '1.0.0.RC7 < 1.0.0-gradle',
      '1.0.1-alpha < 1.0.1',
      '1.0.0.1 < 1.0.1',
      '1-0.1 < 1-1',
      '1.20210530193627 < 1.20210530193628',
    ])
    expect(disagreements(maven, lines)).toEqual([])
  })

  it('drops nulls before every hyphen, as the specification says (the code of Maven 3.9 keeps an empty level for them)', () => {
    expect(disagreements(maven, parseComparisons(['1-0-1 = 1-1', '1-ga-1 = 1-1', '1-sp-1 < 1-ga-1']))).toEqual([])
  })

  it('does not run in circles where Maven does', () => {
    expect(
      disagreements(maven, parseComparisons(['1-alpha < 1', '1 < 1.sp', '1-alpha < 1.sp', '1-alpha < 1.sp.1'])),
    ).toEqual([])
    expect(
      disagreements(maven, parseComparisons(['3.0.0.rc.1 < 3.0.0', '3.0.0 < 3.0.0-01', '3.0.0.rc.1 < 3.0.0-01'])),
    ).toEqual([])
  })

  it('refuses what Maven refuses as the version of an artifact', () => {
    const invalid = ['', ' ', '[1.0,2.0)', '1.0,', '{version}', '1/2', '1:2', '1 2', '1\n', '1\0', '<1>', '1*', '1?']
    for (const text of invalid) expect([text, isVersion(maven, text)]).toEqual([text, false])
    for (const text of ['1.0_01', '1.0+build', 'r09', '20040616', '1.0é', '.', '-'])
      expect(isVersion(maven, text)).toBe(true)
  })
})

const pieces = [
  '.',
  '-',
  '0',
  '1',
  '10',
  'a',
  'b',
  'alpha',
  'rc',
  'sp',
  'final',
  'SNAPSHOT',
  'x',
  '.0',
  '-1',
  '_',
  '--',
]

isTotalOrder(maven, ['1.0-alpha-1', '1.0.0.Final-redhat-1', '2.0.1-xyz', '1.0-20190101.120000-1', '33.0-jre'], pieces)

const fastjson = 'Maven since 3.8 takes .sec10 for -sec10, and _noneautotype is before sec; older ones put .x before -x'
const contradictions: readonly Contradiction[] = [
  ['1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3', '>', 'RC7 < 1.0.0 < gradle; Maven up to 3.6 ran in a circle here'],
  ['6.1.12.rc5 < 6.1.12rc1', '>', 'Maven since 3.8 takes .rc for -rc, as the specification says'],
  ['1.1.31.sec10 < 1.1.31_noneautotype', '>', fastjson],
  ['1.1.46.sec10 < 1.1.46_noneautotype', '>', fastjson],
  ['1.2.8.sec10_noneautotype < 1.2.8_noneautotype', '>', fastjson],
  ['1.2.31.sec10 < 1.2.31_noneautotype', '>', fastjson],
  ['1.2.54.sec10 < 1.2.54_noneautotype', '>', fastjson],
  ['1.2.60.sec10 < 1.2.60_noneautotype', '>', fastjson],
  ['1.2.67.sec10 < 1.2.67_noneautotype', '>', fastjson],
]

// The generated table is the answer of an old Maven (3.6.3 gives all of it); of these lines 3.8.7, 3.9.11 and 4.0.0-rc-4
// all say the opposite.
agreesWithTables(maven, { files: ['maven-versions.txt', 'maven-versions-generated.txt.gz'], pieces, contradictions })
