import { endOfDigits, isDigit, isLetter, numberKey, putLength, textOfCodes } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Debian and Ubuntu: `[epoch:]upstream[-revision]`, deb-version(7) of dpkg 1.21. Null for what dpkg calls bad syntax, be
 * it an error or a warning: a word that is no version must not find an answer. An absent epoch or revision is 0.
 */
export const deb: VersionOrder = { name: 'deb', key }

/** dpkg keeps an epoch in an int. */
const maxEpoch = 2_147_483_647
/** `!`, before the end of a run of other characters; see {@link runEnd}. */
const tilde = 0x21
/** `#`, where a run of other characters ends, at a digit or at the end of the text: after `~`, before everything else. */
const runEnd = 0x23

function key(text: string): string | null {
  const colon = text.indexOf(':')
  if (colon >= 0 && !isEpoch(text, colon)) return null
  const hyphen = text.lastIndexOf('-')
  if (hyphen === text.length - 1) return null
  if (!isDigit(text.charCodeAt(colon + 1))) return null
  const codes: number[] = []
  const isRead =
    pushPart(codes, text, colon + 1, hyphen < 0 ? text.length : hyphen, true) &&
    (hyphen < 0 ? pushPart(codes, '', 0, 0, false) : pushPart(codes, text, hyphen + 1, text.length, false))
  return isRead ? numberKey(colon < 0 ? '' : text.slice(0, colon)) + textOfCodes(codes) : null
}

function isEpoch(text: string, colon: number): boolean {
  return colon > 0 && endOfDigits(text, 0) === colon && Number(text.slice(0, colon)) <= maxEpoch
}

/**
 * Pairs of a run of other characters (perhaps empty) and a number (perhaps absent, which is 0), as dpkg compares them. One loop in
 * codes of UTF-16: a scan makes a thousand keys before V8 has compiled anything, and each call and each longer text counts.
 */
function pushPart(codes: number[], text: string, start: number, end: number, isUpstream: boolean): boolean {
  let at = start
  do {
    let code = text.charCodeAt(at)
    while (at < end && (code < 0x30 || code > 0x39)) {
      const other = characterCode(code, isUpstream)
      if (other < 0) return false
      codes.push(other)
      code = text.charCodeAt(++at)
    }
    const lengthAt = codes.push(runEnd, 0) - 1
    while (at < end && code === 0x30) code = text.charCodeAt(++at)
    const digits = at
    while (at < end && code >= 0x30 && code <= 0x39) {
      codes.push(code)
      code = text.charCodeAt(++at)
    }
    putLength(codes, lengthAt, at - digits)
  } while (at < end)
  codes.push(runEnd)
  return true
}

/** `~` before the end, the end before letters, letters before all others. Negative for what no version has. */
function characterCode(code: number, isUpstream: boolean): number {
  if (isLetter(code)) return code
  if (code === 0x7e) return tilde
  const isAllowed = code === 0x2e || code === 0x2b || (isUpstream && (code === 0x2d || code === 0x3a))
  return isAllowed ? code + 0x80 : -1
}
