import { endOfDigits, isDigit, isLetter, numberKey } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Debian and Ubuntu: `[epoch:]upstream[-revision]`, deb-version(7) of dpkg 1.21. Null for what dpkg calls bad syntax, be
 * it an error or a warning: a word that is no version must not find an answer. An absent epoch or revision is 0.
 */
export const deb: VersionOrder = { name: 'deb', key }

/** dpkg keeps an epoch in an int. */
const maxEpoch = 2_147_483_647
/** Before the end of a run of other characters; see {@link runEnd}. */
const tilde = '!'
/** Where a run of other characters ends, at a digit or at the end of the text: after `~`, before everything else. */
const runEnd = '#'

function key(text: string): string | null {
  const colon = text.indexOf(':')
  if (colon >= 0 && !isEpoch(text, colon)) return null
  const hyphen = text.lastIndexOf('-')
  if (hyphen === text.length - 1) return null
  if (!isDigit(text.charCodeAt(colon + 1))) return null
  const upstream = partKey(text, colon + 1, hyphen < 0 ? text.length : hyphen, true)
  const revision = hyphen < 0 ? partKey('', 0, 0, false) : partKey(text, hyphen + 1, text.length, false)
  if (upstream === null || revision === null) return null
  return numberKey(colon < 0 ? '' : text.slice(0, colon)) + upstream + revision
}

function isEpoch(text: string, colon: number): boolean {
  return colon > 0 && endOfDigits(text, 0) === colon && Number(text.slice(0, colon)) <= maxEpoch
}

/** Pairs of a run of other characters (perhaps empty) and a number (perhaps absent, which is 0), as dpkg compares them. */
function partKey(text: string, start: number, end: number, isUpstream: boolean): string | null {
  let built = ''
  let at = start
  do {
    while (at < end && !isDigit(text.charCodeAt(at))) {
      const character = characterKey(text.charCodeAt(at++), isUpstream)
      if (character === null) return null
      built += character
    }
    const digits = at
    at = Math.min(endOfDigits(text, at), end)
    built += runEnd + numberKey(text.slice(digits, at))
  } while (at < end)
  return built + runEnd
}

/** `~` before the end, the end before letters, letters before all others. */
function characterKey(code: number, isUpstream: boolean): string | null {
  if (isLetter(code)) return String.fromCharCode(code)
  if (code === 0x7e) return tilde
  const isAllowed = code === 0x2e || code === 0x2b || (isUpstream && (code === 0x2d || code === 0x3a))
  return isAllowed ? String.fromCharCode(code + 0x80) : null
}
