import { spdxExceptionIds, spdxLicenseIds } from './spdx-ids.js'

/**
 * What words side by side mean, without an operator between them: a `list` of licenses that all hold (apk's old style,
 * `MIT BSD GPL2+`), one `name` (rpm's `Public Domain`), or that the text is prose and no expression at all (DEP-5).
 */
type SideBySide = 'list' | 'name' | 'prose'

/** An expression of this many characters names some 200 licenses; what is longer is a license's text. */
const maxExpressionLength = 4_000
const maxReferenceLength = 120

const licenses = new Map(spdxLicenseIds.map((id) => [id.toLowerCase(), id]))
const exceptions = new Map(spdxExceptionIds.map((id) => [id.toLowerCase(), id]))

/**
 * Names of distributions for a license of the SPDX list: Debian's copyright-format 1.0 ("License specification") and Fedora's
 * former short names, where they mean exactly one. `BSD`, `GPL` and their like name several, and are on no list.
 */
const aliases = new Map<string, string>([
  ['expat', 'MIT'],
  ['asl 1.1', 'Apache-1.1'],
  ['asl 2.0', 'Apache-2.0'],
  ['apache-2', 'Apache-2.0'],
  ['apache license 2.0', 'Apache-2.0'],
  ['apache license, version 2.0', 'Apache-2.0'],
  ['artistic 2.0', 'Artistic-2.0'],
  ['artistic-2', 'Artistic-2.0'],
  ['artistic clarified', 'ClArtistic'],
  ['boost', 'BSL-1.0'],
  ['bsd with advertising', 'BSD-4-Clause'],
  ['bsd-0-clause', '0BSD'],
  ['bsd-1-clause', 'BSD-1-Clause'],
  ['cc0', 'CC0-1.0'],
  ['gpl+', 'GPL-1.0-or-later'],
  ['lgpl+', 'LGPL-2.0-or-later'],
  ['mplv1.0', 'MPL-1.0'],
  ['mplv1.1', 'MPL-1.1'],
  ['mplv2.0', 'MPL-2.0'],
  ['mpl-2', 'MPL-2.0'],
  ['openldap-2.8', 'OLDAP-2.8'],
  ['pd', 'LicenseRef-public-domain'],
  ['psf', 'PSF-2.0'],
  ['public domain', 'LicenseRef-public-domain'],
  ['public-domain', 'LicenseRef-public-domain'],
  ['publicdomain', 'LicenseRef-public-domain'],
  ['zplv2.1', 'ZPL-2.1'],
])

const operators = new Map([
  ['and', 'AND'],
  ['&', 'AND'],
  ['or', 'OR'],
  ['|', 'OR'],
  ['and/or', 'OR'],
])

/** Values that say nothing. */
const nothings = new Set(['', 'none', '(none)', 'noassertion', 'unknown'])

/**
 * An SPDX license expression (SPDX 2.3 annex D) of what a package database says, with identifiers spelled as on the list:
 * `GPLv2+ and (MIT or ASL 2.0)` gives `GPL-2.0-or-later AND (MIT OR Apache-2.0)`. A name that the list has not becomes
 * `LicenseRef-…`; so does a whole text whose operators or parentheses do not fit. Null where the text says nothing, and for
 * prose where `sideBySide` refuses it.
 */
export function toLicenseExpression(text: string, sideBySide: SideBySide): string | null {
  const trimmed = text.trim()
  if (nothings.has(trimmed.toLowerCase())) return null
  const alias = aliases.get(trimmed.toLowerCase())
  if (alias !== undefined) return alias
  const parsed = trimmed.length > maxExpressionLength ? null : parseExpression(trimmed, sideBySide)
  if (parsed !== null) return parsed
  return sideBySide === 'prose' ? null : toReference(trimmed)
}

function parseExpression(text: string, sideBySide: SideBySide): string | null {
  const pieces: string[] = []
  const groups = [0]
  let words: string[] = []
  let isAfterComma = false
  const wantsOperand = () => pieces.length === 0 || /^(?:\(|AND|OR)$/.test(pieces.at(-1) as string)
  /** Ends the operand in hand; false when there is none where one must be. */
  const close = (): boolean => {
    if (words.length === 0) return !wantsOperand()
    const operand = wantsOperand() ? toOperand(words, sideBySide) : null
    words = []
    if (operand !== null) pieces.push(operand)
    return operand !== null
  }
  for (const token of text.match(/[(),]|[^\s(),]+/g) ?? []) {
    const operator = operators.get(token.toLowerCase())
    if (isAfterComma && operator === undefined) pieces.push('AND')
    isAfterComma = false
    if (token === '(') {
      if (words.length > 0 || !wantsOperand()) return null
      groups.push(pieces.push('('))
    } else if (token === ')') {
      if (!close() || groups.length === 1) return null
      groups.pop()
      pieces.push(')')
    } else if (token === ',') {
      if (!close()) return null
      parenthesize(pieces, groups.at(-1) ?? 0)
      isAfterComma = true
    } else if (operator !== undefined) {
      if (!close()) return null
      pieces.push(operator)
    } else words.push(token)
  }
  if (!close() || groups.length > 1) return null
  return pieces.join(' ').replaceAll('( ', '(').replaceAll(' )', ')')
}

/** DEP-5: a comma binds less than every operator. `A or B, and C` is `(A OR B) AND C`. */
function parenthesize(pieces: string[], from: number): void {
  if (pieces.indexOf('OR', from) < 0) return
  pieces.splice(from, 0, '(')
  pieces.push(')')
}

function toOperand(words: readonly string[], sideBySide: SideBySide): string | null {
  const name = words.join(' ')
  const id = toLicenseId(name) ?? toLicenseWithException(words)
  if (id !== undefined) return id
  if (words.length === 1) return toReference(name)
  if (sideBySide === 'list') return words.map((word) => toLicenseId(word) ?? toReference(word)).join(' AND ')
  const isExceptionUnknown = words.length > 2 && words[1]?.toLowerCase() === 'with'
  return sideBySide === 'name' || isExceptionUnknown ? toReference(name) : null
}

/** Spelled as on the list; undefined when the list has none of that name. */
function toLicenseId(name: string): string | undefined {
  const key = name.toLowerCase()
  const exact = aliases.get(key) ?? toGnuId(key) ?? licenses.get(key)
  if (exact !== undefined || /^LicenseRef-[a-zA-Z0-9.-]+$/.test(name)) return exact ?? name
  const base = key.endsWith('+') ? licenses.get(key.slice(0, -1)) : undefined
  return base === undefined ? undefined : `${base}+`
}

/** `gplv2+`, `gpl-2+`, `gpl2`, `lgpl-2.1`, `gpl-2.0+` …: the list has had one name for each since version 3.0. */
function toGnuId(key: string): string | undefined {
  const match = /^(agpl|lgpl|gpl|gfdl)-?v?(\d)(?:\.(\d))?(\+|-only|-or-later)?$/.exec(key)
  if (match === null) return undefined
  const [, family, major, minor = '0', suffix = ''] = match
  return licenses.get(`${family}-${major}.${minor}${suffix === '+' || suffix === '-or-later' ? '-or-later' : '-only'}`)
}

/** `GPL-2+ with Libtool exception`, `Apache-2.0 WITH LLVM-exception`; undefined when either side is on no list. */
function toLicenseWithException(words: readonly string[]): string | undefined {
  if (words.length < 3 || words[1]?.toLowerCase() !== 'with') return undefined
  const license = toLicenseId(words[0] as string)
  const named = words.slice(2).join('-').toLowerCase()
  const isGpl3 = license?.startsWith('GPL-3') === true
  const spellings = [named, named.replace(/-exception$/, ''), `${named}-${isGpl3 ? '3.0' : '2.0'}`, `${named}-2.2`]
  const exception = spellings.map((spelling) => exceptions.get(spelling)).find((id) => id !== undefined)
  return license === undefined || exception === undefined ? undefined : `${license} WITH ${exception}`
}

function toReference(name: string): string {
  const id = name
    .slice(0, maxReferenceLength)
    .replaceAll('+', '-plus')
    .replace(/[^a-zA-Z0-9.-]+/g, '-')
    .replace(/^-|-$/g, '')
  return `LicenseRef-${id === '' ? 'unnamed' : id}`
}
