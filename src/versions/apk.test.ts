import { describe, expect, it } from 'vitest'
import { apk } from './apk.js'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

/** apk-package(5), "pkgver", as one expression: what apk-tools 3 takes for a version. */
const grammar = /^\d+(\.\d+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(~[0-9a-f]+)?(-r\d+)?$/

describe('apk', () => {
  // From src/version.c of apk-tools 3 (the order of its tokens and suffixes) and lines of its test/unit/version.data.
  it('orders as apk does', () => {
    const lines = parseComparisons([
      '1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0',
      '0.1.0_alpha_pre2 < 0.1.0_alpha',
      '0.1.0_alpha < 0.1.0_alpha2',
      '1.0_alpha < 1.0_beta',
      '1.0_beta < 1.0_pre',
      '1.0_pre < 1.0_rc',
      '1.0_rc9 < 1.0',
      '1.0 < 1.0_cvs',
      '1.0_cvs < 1.0_svn',
      '1.0_svn < 1.0_git',
      '1.0_git < 1.0_hg',
      '1.0_hg < 1.0_p',
      '1.0_p9 < 1.0_p10',
      '1.0 < 1.0-r0',
      '1.0-r9 < 1.0-r10',
      '1.0-r0 < 1.0~ab-r0',
      '1.0~ab < 1.0~ab-r0',
      '1.0~0a < 1.0~a0',
      '1.0 < 1.0~0',
      '1.0~ff < 1.0_p',
      '1.0_p < 1.0a',
      '1.0z < 1.0.0',
      '1.0_rc~ff < 1.0',
    ])
    expect(disagreements(apk, lines)).toEqual([])
  })

  it('compares as text from the second number on where one has a leading zero', () => {
    const lines = parseComparisons([
      '8.2.001 < 8.2.1',
      '8.2.0 < 8.2.001',
      '8.2.0015 < 8.2.002',
      '1.06 < 1.1',
      '1.09 < 1.1',
      '1.9 < 1.10',
      '010 = 10',
      '1-r01 = 1-r1',
      '1_p01 = 1_p1',
    ])
    expect(disagreements(apk, lines)).toEqual([])
  })

  it('refuses what apk refuses', () => {
    const invalid = [
      '',
      ' ',
      'c',
      '.1',
      '1.',
      '1..2',
      '1.a',
      '1aa',
      '1.0bc',
      '1.0A',
      '6.6.2p1',
      '1_foo',
      '1_',
      '1_p1a',
      '1_PRE',
    ]
    const tails = [
      '1-',
      '1-r',
      '1-0',
      '1-r0-r1',
      '1-r0.1',
      '1-r0_p1',
      '1~',
      '1~r',
      '1~AB',
      '1~ab~cd',
      '1-r1~ab',
      '1 ',
      '1-r0\n',
    ]
    for (const text of [...invalid, ...tails]) expect([text, isVersion(apk, text)]).toEqual([text, false])
  })
})

const pieces = ['.', '0', '1', '9', 'a', '_p', '_rc', '_pre', '_git', '~', '~a', '-r', '-r1', '.0', '.01', '.10']

isTotalOrder(apk, ['1.2.3-r0', '1.0_rc1', '1.0~abc-r1', '1.02a_p1-r2', '0.1_alpha_pre2', '010'], pieces)

// The tables also hold lines that only older releases of apk could answer, by comparing text (`1.0bc`) or because they let
// digits follow the letter (`6.6.2p1`). apk-tools 3 calls them invalid, and it is right: we answer "unknown".
agreesWithTables(apk, {
  files: ['alpine-versions.txt', 'alpine-versions-generated.txt.gz'],
  pieces,
  isValid: (text) => grammar.test(text),
})
