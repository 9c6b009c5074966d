import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toLicenseExpression } from './spdx.js'
import { spdxExceptionIds, spdxLicenseIds } from './spdx-ids.js'

describe('toLicenseExpression', () => {
  it.each([
    ['MPL-2.0 AND MIT', 'MPL-2.0 AND MIT'],
    ['GPL-3.0-or-later WITH GCC-exception-3.1', 'GPL-3.0-or-later WITH GCC-exception-3.1'],
    ['(MIT OR Apache-2.0) AND zlib', '(MIT OR Apache-2.0) AND Zlib'],
    ['apache-2.0+', 'Apache-2.0+'],
    ['LicenseRef-Fedora-Public-Domain', 'LicenseRef-Fedora-Public-Domain'],
  ])('keeps the expression %s', (text, expected) => {
    for (const sideBySide of ['list', 'name', 'prose'] as const)
      expect(toLicenseExpression(text, sideBySide)).toBe(expected)
  })

  it.each([
    ['MIT BSD GPL2+', 'MIT AND LicenseRef-BSD AND GPL-2.0-or-later'],
    ['MPL-2.0 GPL-2.0-or-later', 'MPL-2.0 AND GPL-2.0-or-later'],
    ['GPL-2.0', 'GPL-2.0-only'],
    ['custom', 'LicenseRef-custom'],
  ])('reads a list of apk: %s', (text, expected) => expect(toLicenseExpression(text, 'list')).toBe(expected))

  it.each([
    ['GPLv2+ and LGPLv2+ with exceptions', 'GPL-2.0-or-later AND LicenseRef-LGPLv2-plus-with-exceptions'],
    ['MIT and (BSD or ASL 2.0)', 'MIT AND (LicenseRef-BSD OR Apache-2.0)'],
    ['Public Domain', 'LicenseRef-public-domain'],
    ['LGPLv2.1,GPLv2', 'LGPL-2.1-only AND GPL-2.0-only'],
    ['BSD with advertising', 'BSD-4-Clause'],
    ['(none)', null],
    ['MIT and', 'LicenseRef-MIT-and'],
    ['(MIT', 'LicenseRef-MIT'],
    ['MIT) or (BSD', 'LicenseRef-MIT-or-BSD'],
  ])('reads a License tag of rpm: %s', (text, expected) => expect(toLicenseExpression(text, 'name')).toBe(expected))

  it.each([
    ['GPL-1+ or Artistic, and Expat', '(GPL-1.0-or-later OR LicenseRef-Artistic) AND MIT'],
    ['GPL-2+ with Libtool exception', 'GPL-2.0-or-later WITH Libtool-exception'],
    ['GPL-3+ with Autoconf exception', 'GPL-3.0-or-later WITH Autoconf-exception-3.0'],
    ['GPL-3+ with Bison exception', 'GPL-3.0-or-later WITH Bison-exception-2.2'],
    ['GPL-2 with Linux-syscall-note exception', 'GPL-2.0-only WITH Linux-syscall-note'],
    ['LGPL-2.1+ with OpenSSL exception', 'LicenseRef-LGPL-2.1-plus-with-OpenSSL-exception'],
    ['Permission to use, copy, modify, and distribute this software and its', null],
  ])('reads a short name of DEP-5: %s', (text, expected) => expect(toLicenseExpression(text, 'prose')).toBe(expected))

  it('gives an expression by the grammar, whatever it is given', () => {
    const words = fc.constantFrom('MIT', 'and', 'OR', 'with', '(', ')', ',', 'GPLv2+', 'x/y', '+', '&', '\u0000é')
    const known = new Set([...spdxLicenseIds, ...spdxExceptionIds])
    fc.assert(
      fc.property(fc.array(words), fc.constantFrom('list', 'name', 'prose'), (tokens, sideBySide) => {
        const expression = toLicenseExpression(tokens.join(' '), sideBySide as 'list')
        if (expression !== null) expectGrammar(expression, known)
      }),
    )
  })

  it('takes a text of a megabyte in its stride', () => {
    const text = '(MIT, '.repeat(200_000)
    expect(toLicenseExpression(text, 'name')?.length).toBeLessThan(200)
    expect(toLicenseExpression(text, 'prose')).toBeNull()
  })
})

/** SPDX 2.3 annex D.2, by reducing innermost parentheses. */
function expectGrammar(expression: string, known: ReadonlySet<string>): void {
  const simple = expression.replace(/[a-zA-Z0-9.+-]+/g, (word) => {
    if (/^(?:AND|OR|WITH)$/.test(word)) return word
    if (known.has(word) || known.has(word.replace(/\+$/, '')) || /^LicenseRef-[a-zA-Z0-9.-]+$/.test(word)) return 'x'
    return '?'
  })
  let rest = simple
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(/x WITH x|x (?:AND|OR) x|\(x\)/, 'x')
  }
  expect(rest, expression).toBe('x')
}
