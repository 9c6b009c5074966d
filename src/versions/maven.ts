import { endOfDigits, fallingCountKey, isDigit, numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Maven 3's ComparableVersion, by the "Version Order Specification" of maven.apache.org/pom.html: tokens end at `.`, `-` and
 * between digits and letters; trailing nulls (`0`, `ga`, `final`, `release`) do not count; at one place
 * qualifiers < end < `sp` < other qualifiers < `-number` < `.number`. `.qualifier` means `-qualifier`, as the
 * specification says and Maven does since 3.9: before, Maven's own answers ran in circles (1.sp < 1-alpha < 1 < 1.sp).
 * Null for what Maven refuses in a POM, version ranges among it.
 */
export const maven: VersionOrder = { name: 'maven', key }

/** Maven's model validator, and all that is not visible. */
const refused = /[\\/:"<>|?*[\](){},]|[\0-\x20\x7f]/

/** The known qualifiers in their order; see {@link qualifierKey}. */
const qualifiers: ReadonlyMap<string, string> = new Map([
  ['alpha', '11'],
  ['beta', '12'],
  ['milestone', '13'],
  ['rc', '14'],
  ['cr', '14'],
  ['snapshot', '15'],
  ['sp', '30'],
])
const releases: ReadonlySet<string> = new Set(['ga', 'final', 'release'])
const beforeDigits: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
])
const mark = { end: '2', releaseNumber: '29', otherQualifier: '31', dashNumber: '4', dotNumber: '5' } as const

function key(text: string): string | null {
  if (text === '' || refused.test(text)) return null
  const version = text.toLowerCase()
  let built = ''
  /** Zeros that count only if a number follows them at their level. */
  let zeros = 0
  /** What a number means here: how its level was opened, until something stands there. */
  let place: string = mark.dotNumber
  let at = 0
  while (at < version.length) {
    const end = endOfToken(version, at)
    const token = version.slice(at, end)
    const isNumber = token === '' || isDigit(token.charCodeAt(0))
    if (!isNumber || opensLevel(version, at)) {
      zeros = 0
      place = mark.dashNumber
    }
    if (isNumber && /^0*$/.test(token)) zeros++
    else if (releases.has(token)) place = mark.releaseNumber
    else {
      const isBeforeDigits = isDigit(version.charCodeAt(end))
      built += isNumber ? place + fallingCountKey(zeros) + numberKey(token) : qualifierKey(token, isBeforeDigits)
      zeros = 0
      place = mark.dotNumber
    }
    at = end
    if (version[at] === '.' || version[at] === '-') at++
  }
  return built + mark.end
}

/** Whether a number here is one level deeper: after a hyphen, and where letters meet digits. */
function opensLevel(version: string, at: number): boolean {
  return at > 0 && version[at - 1] !== '.'
}

/** Digits, or what is neither digit nor separator; empty (which is 0) between two separators. */
function endOfToken(version: string, start: number): number {
  if (isDigit(version.charCodeAt(start))) return endOfDigits(version, start)
  let at = start
  while (at < version.length && version[at] !== '.' && version[at] !== '-' && !isDigit(version.charCodeAt(at))) at++
  return at
}

function qualifierKey(token: string, isBeforeDigits: boolean): string {
  const name = (isBeforeDigits && beforeDigits.get(token)) || token
  return qualifiers.get(name) ?? `${mark.otherQualifier}${name}${wordEnd}`
}
