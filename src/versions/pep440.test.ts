import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { pep440 } from './pep440.js'
import { isVersion } from './version-order.js'

/**
 * The expression of PEP 440, appendix B, written for one line. It backtracks; that is why it is no more than a second
 * opinion here.
 */
const appendixB = new RegExp(
  '^v?([0-9]+!)?[0-9]+(\\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?' +
    '(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\\+[a-z0-9]+([-_.][a-z0-9]+)*)?$',
  'i',
)

describe('pep440', () => {
  // PEP 440, "Summary of permitted suffixes and relative ordering" and its example.
  it('orders as PEP 440 says', () => {
    const lines = parseComparisons([
      '1.dev0 < 1.0.dev456',
      '1.0.dev456 < 1.0a1',
      '1.0a1 < 1.0a2.dev456',
      '1.0a2.dev456 < 1.0a12.dev456',
      '1.0a12.dev456 < 1.0a12',
      '1.0a12 < 1.0b1.dev456',
      '1.0b1.dev456 < 1.0b2',
      '1.0b2 < 1.0b2.post345.dev456',
      '1.0b2.post345.dev456 < 1.0b2.post345',
      '1.0b2.post345 < 1.0rc1.dev456',
      '1.0rc1.dev456 < 1.0rc1',
      '1.0rc1 < 1.0',
      '1.0 < 1.0+abc.5',
      '1.0+abc.5 < 1.0+abc.7',
      '1.0+abc.7 < 1.0+5',
      '1.0+5 < 1.0.post456.dev34',
      '1.0.post456.dev34 < 1.0.post456',
      '1.0.post456 < 1.0.15',
      '1.0.15 < 1.1.dev1',
      '2024.1 < 1!1.0',
      '1!1.0 < 2!0.1',
      '1.0+a < 1.0+a.0',
      '1.20210530193627 < 1.20210530193628',
    ])
    expect(disagreements(pep440, lines)).toEqual([])
  })

  // PEP 440, "Normalization".
  it('takes every spelling for what it means', () => {
    const lines = parseComparisons([
      '1.0-1 = 1.0.post1',
      '1.0-r4 = 1.0.post4',
      '1.0.rev = 1.0.post0',
      '1.0post2 = 1.0.post2',
      '1.1-RC.1 = 1.1rc1',
      '1.1c1 = 1.1rc1',
      '1.1.pre_2 = 1.1rc2',
      '1.1preview3 = 1.1rc3',
      '1.1alpha = 1.1a0',
      '1.1beta-1 = 1.1b1',
      '1.2-dev2 = 1.2.dev2',
      '1.2dev = 1.2.dev0',
      'v1.0 = 1.0',
      '1.0 = 1',
      '1.0.0 = 1.00',
      '0!1 = 1',
      '1.0a05 = 1.0a5',
      '1.0+ubuntu-1 = 1.0+ubuntu.1',
      '1.0+UBUNTU_01 = 1.0+ubuntu.1',
      '0 = 0.0.0',
    ])
    expect(disagreements(pep440, lines)).toEqual([])
    expect(isVersion(pep440, ' 1.0\n')).toBe(true)
  })

  it('refuses legacy versions and all else', () => {
    const legacy = [
      '0.1-bulbasaur',
      '0.7.10p1',
      '0.3m1',
      '5.0-final',
      '2004d',
      'trunk',
      '1.0.dev-r123',
      '2013-01-21T20:33:09',
    ]
    const broken = [
      '',
      'a1',
      '1.',
      '.1',
      '1..0',
      '1.0+',
      '1.0+a..b',
      '1.0+a+b',
      '1.0rc1-',
      '1!',
      '!1',
      '1!!1',
      '1.0 1',
      '1.x',
      '1é',
    ]
    for (const text of [...legacy, ...broken]) expect([text, isVersion(pep440, text)]).toEqual([text, false])
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
  'rc',
  'c',
  'post',
  'r',
  'dev',
  '!',
  '+',
  'v',
  'local',
  '.0',
  'RC',
  '-1',
]

isTotalOrder(pep440, ['1!2.3.4rc1.post2.dev3+ubuntu.1', '1.0', '0.0.dev1', '1.0-1', '2024.10.1'], pieces)

// The tables hold "legacy" versions that packaging ordered until its release 22. It refuses them since, and so do we.
agreesWithTables(pep440, {
  files: ['pypi-versions.txt', 'pypi-versions-generated.txt.gz'],
  pieces,
  isValid: (text) => appendixB.test(text),
})
