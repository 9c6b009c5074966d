import { matchVersion } from './match-version.js'
import { numberKey, numbersKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Python: PEP 440, now packaging.python.org/specifications/version-specifiers (as of packaging 26):
 * `[epoch!]release[pre][post][.dev][+local]`, with all its spellings (`1.0-1` is `1.0.post1`, `1.0-RC.1` is `1.0rc1`). What
 * it does not allow is null, also where setuptools once read it as a "legacy" version.
 */
export const pep440: VersionOrder = { name: 'pep440', key }

const pattern = new RegExp(
  [
    '^v?(?:([0-9]+)!)?',
    '([0-9]+(?:\\.[0-9]+)*)',
    '(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?',
    '(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]+)?)?',
    '(?:[-_.]?(dev)[-_.]?([0-9]+)?)?',
    '(?:\\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$',
  ].join(''),
)

/** Alpha, beta, release candidate; the other spellings mean one of them. */
const phases: ReadonlyMap<string, string> = new Map([
  ['a', 'a'],
  ['alpha', 'a'],
  ['b', 'b'],
  ['beta', 'b'],
  ['c', 'c'],
  ['rc', 'c'],
  ['pre', 'c'],
  ['preview', 'c'],
])
const first = '!'
const last = '~'

function key(text: string): string | null {
  const match = matchVersion(pattern, text.trim().toLowerCase())
  if (match === null) return null
  const [, epoch = '', release = '', phase, nth = '', impliedPost, post, postNth = '', dev, devNth = '', local] = match
  const isPost = impliedPost !== undefined || post !== undefined
  // Only a development release of the final version itself is before its alphas.
  const withoutPhase = dev !== undefined && !isPost ? first : last
  return (
    numberKey(epoch) +
    numbersKey(withoutTrailingZeros(release.split('.'))) +
    (phase === undefined ? withoutPhase : phases.get(phase) + numberKey(nth)) +
    (isPost ? `1${numberKey(impliedPost ?? postNth)}` : '0') +
    (dev === undefined ? '1' : `0${numberKey(devNth)}`) +
    (local === undefined ? first : localKey(local))
  )
}

function withoutTrailingZeros(numbers: readonly string[]): readonly string[] {
  let length = numbers.length
  while (length > 0 && /^0*$/.test(numbers[length - 1] ?? '')) length--
  return numbers.slice(0, length)
}

/** Words before numbers, and fewer before more. */
function localKey(local: string): string {
  let built = ''
  for (const part of local.split(/[-_.]/)) {
    built += /^[0-9]+$/.test(part) ? `2${numberKey(part)}` : `1${part}${wordEnd}`
  }
  return `${built}0`
}
