/**
 * What the sort keys of {@link VersionOrder} are made of. Each piece ends by itself (a number tells its length, a word has
 * an end), so pieces may be joined and the first that differs decides. A key holds no surrogates, unless the version does,
 * so UTF-8 keeps its order.
 */

/** Ends a word in a key. Before every character that a version may have, so `a` comes before `ab`. */
export const wordEnd = ' '

const zero = 0x30
/** A call takes no more arguments than the stack holds. */
const codesAtOnce = 4096
/** Counts from here on are written in two digits of this base. */
const base = 0x4000

/** A decimal number of any length: how many digits, then the digits, without leading zeros; so 9 (`19`) is before 10 (`210`). */
export function numberKey(digits: string): string {
  let start = 0
  while (start < digits.length && digits.charCodeAt(start) === zero) start++
  const significant = start === 0 ? digits : digits.slice(start)
  return lengthKey(significant.length) + significant
}

/** Puts how many digits a number has in front of them, as {@link numberKey} does: at `at`, where a place was left. Codes of UTF-16. */
export function putLength(codes: number[], at: number, length: number): void {
  if (length < base) codes[at] = zero + length
  else codes.splice(at, 1, zero + base, zero + Math.floor(length / base), zero + (length % base))
}

/** The text of codes of UTF-16. */
export function textOfCodes(codes: readonly number[]): string {
  if (codes.length <= codesAtOnce) return String.fromCharCode(...codes)
  let text = ''
  for (let at = 0; at < codes.length; at += codesAtOnce)
    text += String.fromCharCode(...codes.slice(at, at + codesAtOnce))
  return text
}

/** A count, which sorts upwards: 0, 1, 2. */
export function countKey(count: number): string {
  return numberKey(String(count))
}

/** A count, which sorts downwards: 2, 1, 0. */
export function fallingCountKey(count: number): string {
  if (count === 0) return '~'
  return `}${String.fromCharCode(zero + base - Math.floor(count / base), zero + base - (count % base))}`
}

function lengthKey(length: number): string {
  if (length < base) return String.fromCharCode(zero + length)
  return String.fromCharCode(zero + base, zero + Math.floor(length / base), zero + (length % base))
}

/** Numbers in a row, where a row that goes on is after one that ends. */
export function numbersKey(numbers: readonly string[]): string {
  let key = ''
  for (const digits of numbers) key += `+${numberKey(digits)}`
  return `${key}!`
}

/** True for `0` to `9`. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** True for ASCII letters. */
export function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

/** The index of the first character from `start` on that is no digit. */
export function endOfDigits(text: string, start: number): number {
  let at = start
  while (at < text.length && isDigit(text.charCodeAt(at))) at++
  return at
}
