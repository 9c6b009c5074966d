import { endOfDigits, isDigit, isLetter, numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * RPM: `[epoch:]version[-release]`, as `rpmverCmp` of rpm 4.18 (lib/rpmver.c, rpmvercmp.c; rpm-version(7)). An absent epoch
 * is 0. An absent release comes before every release: rpm ignores it only where it matches a dependency, which is no order
 * (1-1 = 1 = 1-2). Who asks "is 1-2 fixed in 1" asks here with the version alone.
 */
export const rpm: VersionOrder = { name: 'rpm', key }

/** What may come next in a version or a release, in rpm's order. */
const mark = { tilde: '!', end: '#', caret: '$', letters: '(', number: '+' } as const
const noRelease = '!'
const someRelease = '#'

function key(text: string): string | null {
  const colon = endOfDigits(text, 0)
  const hasEpoch = text[colon] === ':'
  const start = hasEpoch ? colon + 1 : 0
  const hyphen = text.lastIndexOf('-')
  const end = hyphen < start ? text.length : hyphen
  if (end === start) return null
  const version = partKey(text, start, end)
  const release = hyphen < start ? noRelease : partKey(text, hyphen + 1, text.length)
  if (version === null || release === null) return null
  return numberKey(hasEpoch ? text.slice(0, colon) : '') + version + (hyphen < start ? '' : someRelease) + release
}

/** The runs of digits and of letters; all else only separates them, but for `~` and `^`. */
function partKey(text: string, start: number, end: number): string | null {
  let built = ''
  let at = start
  while (at < end) {
    const code = text.charCodeAt(at)
    const from = at
    if (isDigit(code)) {
      at = endOfDigits(text, at)
      built += mark.number + numberKey(text.slice(from, at))
    } else if (isLetter(code)) {
      while (isLetter(text.charCodeAt(at))) at++
      built += mark.letters + text.slice(from, at) + wordEnd
    } else {
      if (code === 0x7e) built += mark.tilde
      else if (code === 0x5e) built += mark.caret
      else if (!isSeparator(code)) return null
      at++
    }
  }
  return built + mark.end
}

/** `+ - . _` of the allowed characters, `:` where no epoch is meant, and what is not ASCII, which rpm ignores. */
function isSeparator(code: number): boolean {
  return code === 0x2b || code === 0x2d || code === 0x2e || code === 0x5f || code === 0x3a || code >= 0x80
}
