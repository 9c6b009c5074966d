import { matchVersion } from './match-version.js'
import { countKey, fallingCountKey, isDigit, numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * RubyGems: segments of digits or letters, compared with zeros to fill the shorter; a segment of letters is before every
 * number, so it makes a prerelease; `-` means `.pre.` (Gem::Version of RubyGems 3.3). Empty text, which RubyGems takes for
 * 0, is no version here.
 */
export const gem: VersionOrder = { name: 'gem', key }

const pattern = /^[0-9]+(?:\.[0-9a-zA-Z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/**
 * What may come next. Zeros at the end do not count, and a version that ends goes on with zeros; so zeros are counted until
 * what follows them: letters make the version older than its end, the sooner the older; a number makes it newer.
 */
const mark = { letters: '!', end: '#', number: '%' } as const

function key(text: string): string | null {
  const trimmed = text.trim()
  if (matchVersion(pattern, trimmed) === null) return null
  let built = ''
  let zeros = 0
  let hasLetters = false
  for (const segment of segments(trimmed)) {
    if (!isDigit(segment.charCodeAt(0))) {
      // Zeros before the first letters are dropped too: 1.0.a is 1.a.
      built += mark.letters + countKey(hasLetters ? zeros : 0) + segment + wordEnd
      hasLetters = true
      zeros = 0
    } else if (/^0+$/.test(segment)) zeros++
    else {
      built += mark.number + fallingCountKey(zeros) + numberKey(segment)
      zeros = 0
    }
  }
  return built + mark.end
}

function segments(text: string): string[] {
  return text.replaceAll('-', '.pre.').match(/[0-9]+|[a-zA-Z]+/g) ?? []
}
