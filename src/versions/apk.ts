import { endOfDigits, isDigit, numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Alpine, Wolfi and Chainguard: `1.2.3a_rc1_p2~0ab3f-r4`, as apk-tools 3 reads it (src/version.c; apk-package(5)). What apk
 * calls invalid is null, also where older releases of apk fell back to comparing text.
 */
export const apk: VersionOrder = { name: 'apk', key }

/**
 * The suffixes in their order. Those before `none` make a version older than the one without them, those after newer.
 * The numbers stand in the key.
 */
const suffixes: ReadonlyMap<string, string> = new Map([
  ['alpha', '1'],
  ['beta', '2'],
  ['pre', '3'],
  ['rc', '4'],
  ['cvs', '6'],
  ['svn', '7'],
  ['git', '8'],
  ['hg', '9'],
  ['p', 'A'],
])
const none = '5'

/**
 * What may come next in a version, in apk's order: after equal beginnings a version that ends is before one that goes on,
 * unless it goes on with a suffix of a version to come; and a further number counts more than a letter, and so on down.
 */
const mark = {
  earlySuffix: '!',
  end: '#',
  revision: '$',
  hash: '%',
  suffixNumber: '&',
  lateSuffix: '(',
  letter: '*',
  number: '+',
} as const

function key(text: string): string | null {
  let end = endOfDigits(text, 0)
  if (end === 0) return null
  let built = numberKey(text.slice(0, end))
  let at = end
  while (text[at] === '.') {
    end = endOfDigits(text, at + 1)
    if (end === at + 1) return null
    built += furtherNumber(text.slice(at + 1, end))
    at = end
  }
  if (isLowerCase(text.charCodeAt(at))) built += mark.letter + text[at++]
  while (text[at] === '_') {
    end = endOfWord(text, at + 1)
    const rank = suffixes.get(text.slice(at + 1, end))
    if (rank === undefined) return null
    built += (rank < none ? mark.earlySuffix : mark.lateSuffix) + rank
    at = end
    end = endOfDigits(text, at)
    if (end > at) built += mark.suffixNumber + numberKey(text.slice(at, end))
    at = end
  }
  const tail = tailKey(text, at)
  return tail === null ? null : built + tail
}

/** `~hash` and `-rN`, and that nothing follows. */
function tailKey(text: string, start: number): string | null {
  let at = start
  let built = ''
  if (text[at] === '~') {
    const end = endOfHash(text, at + 1)
    if (end === at + 1) return null
    built += mark.hash + text.slice(at + 1, end) + wordEnd
    at = end
  }
  if (text[at] === '-' && text[at + 1] === 'r') {
    const end = endOfDigits(text, at + 2)
    if (end === at + 2) return null
    built += mark.revision + numberKey(text.slice(at + 2, end))
    at = end
  }
  return at === text.length ? built + mark.end : null
}

/** From the second number on, a leading zero on either side makes apk compare them as text: so those come first. */
function furtherNumber(digits: string): string {
  return digits[0] === '0' ? `${mark.number}0${digits}${wordEnd}` : `${mark.number}1${numberKey(digits)}`
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function endOfWord(text: string, start: number): number {
  let at = start
  while (isLowerCase(text.charCodeAt(at))) at++
  return at
}

function endOfHash(text: string, start: number): number {
  let at = start
  while ((text.charCodeAt(at) >= 0x61 && text.charCodeAt(at) <= 0x66) || isDigit(text.charCodeAt(at))) at++
  return at
}
