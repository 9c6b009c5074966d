import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { composer } from './composer.js'
import { agreesWithTables, type Contradiction, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('composer', () => {
  // Each line is what composer/semver 3.3.2 on PHP 8.2 answered.
  it('orders as Composer does', () => {
    const lines = parseComparisons([
      '1.0 = 1.0.0.0',
      'v1.0 = 1.0',
      '1.0-dev < 1.0-alpha1',
      '1.0-alpha < 1.0-alpha1',
      '1.0a1 = 1.0-alpha.1',
      '1.0-alpha1-dev < 1.0-alpha1',
      '1.0-alpha1 < 1.0-beta1',
      '1.0b2 = 1.0_BETA2',
      '1.0-beta1 < 1.0RC1',
      '1.0-RC1 < 1.0',
      '1.0-RC2 < 1.0-rc10',
      '1.0-stable = 1.0',
      '1.0 < 1.0-patch1',
      '1.0-pl1 = 1.0-p1',
      '1.0-p1 < 1.0.0.1',
      '1.0+build = 1.0',
      '1.0-RC1+build = 1.0-RC1',
      '1.0@dev = 1.0',
      '2.100.0 < 2.x-dev',
      '2.x-dev = 2.*-dev',
      '2.x-dev < 3.0-alpha1',
      '2.0.x-dev < 2.1.0',
      'dev-main < 0.1',
      'dev-main = dev-main',
      '2010-01-02 < 2010-01-03',
      '20100102 < 20100103',
    ])
    expect(disagreements(composer, lines)).toEqual([])
  })

  it('compares what Composer refuses as PHP does, where PHP knows the words', () => {
    const lines = parseComparisons(['4.3-2RC2 < 4.3-2', '3.5.2 < 3.5.2.post1', '1.2.3.4.5 > 1.2.3.4', '123456.1 > 1.0'])
    expect(disagreements(composer, lines)).toEqual([])
  })

  it('refuses all else', () => {
    const invalid = [
      '',
      'foo',
      'master',
      'dev-',
      'dev-a b',
      '1.0-foo',
      '1.0.*',
      '1.2.3.#',
      '^1.0',
      '1.0 2',
      '1.0..1',
      '1.0é',
      '>=1.0',
    ]
    for (const text of invalid) expect([text, isVersion(composer, text)]).toEqual([text, false])
    expect(isVersion(composer, ' 1.0\n')).toBe(true)
  })
})

const pieces = [
  '.',
  '-',
  '_',
  '0',
  '1',
  '10',
  'a',
  'b',
  'RC',
  'pl',
  'dev',
  'x',
  '.x-dev',
  '+b',
  'v',
  'dev-',
  'stable',
  '@dev',
  '2020',
]

isTotalOrder(
  composer,
  ['1.0.0', 'v1.0-RC1', 'dev-main', '2.x-dev', '1.0.0-alpha1-dev', '2020-01-02', '4.3-2RC2'],
  pieces,
)

const missing =
  'Composer fills v3.4 up to 3.4.0.0, of which -alpha and -beta come before; the table is of PHP without Composer'
const capitals =
  'Composer lowers ALPHA and BETA and orders them; PHP alone does not know them and calls all unknown words equal'
const hash = 'Composer refuses a #; to PHP it equals every number, which is no order'
const contradictions: readonly Contradiction[] = [
  ['v3.4 < v3.4.0-alpha', '>', missing],
  ['v6.5 < v6.5.0-beta-0', '>', missing],
  ['v6.6 < v6.6.0-beta', '>', missing],
  ['v1.9.0-ALPHA.1 = v1.9.0-BETA.1', '<', capitals],
  ['v1.9.0-BETA.1 < v1.9.0-ALPHA.2', '>', capitals],
  ['v1.9.0-ALPHA.2 = v1.9.0-BETA.2', '<', capitals],
  ['0.0.1-test1 < 3.0.0-alpha4', '?', 'Composer refuses it, and PHP does not know the word'],
  ['1.2.3.# = 1.2.3.#', '?', hash],
  ['1.2.3.# = 1.2.3.1', '?', hash],
  ['1.2.3.#.1 > 1.2.3', '?', hash],
  ['1.2.3.#.p3 > 1.2.3', '?', hash],
]

agreesWithTables(composer, {
  files: ['packagist-versions.txt', 'packagist-versions-generated.txt.gz'],
  pieces,
  contradictions,
})
