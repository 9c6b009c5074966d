import { matchVersion } from './match-version.js'
import { numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * NuGet: one to four numbers, a prerelease whose case does not matter, and metadata that does not count (NuGet.Versioning 6,
 * `NuGetVersion` and `VersionComparer.Default`). Numbers beyond its 32 bits are read, as advisories may hold them.
 */
export const nuget: VersionOrder = { name: 'nuget', key }

const label = '(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)'
const pattern = new RegExp(
  `^([0-9]+(?:\\.[0-9]+){0,3})(?:-(${label}(?:\\.${label})*))?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
)

function key(text: string): string | null {
  const match = matchVersion(pattern, text.trim())
  if (match === null) return null
  const [, numbers = '', labels] = match
  const [major = '', minor = '0', patch = '0', revision = '0'] = numbers.split('.')
  const release = numberKey(major) + numberKey(minor) + numberKey(patch) + numberKey(revision)
  if (labels === undefined) return `${release}~`
  let prerelease = ''
  for (const one of labels.toLowerCase().split('.')) {
    prerelease += isNumber(one) ? `1${numberKey(one)}` : `2${one}${wordEnd}`
  }
  return `${release}${prerelease}0`
}

/** A label of digits beyond 32 bits is a word to NuGet: `-202205301936` is after `-20210530193627`. */
function isNumber(one: string): boolean {
  return /^[0-9]+$/.test(one) && numberKey(one) <= numberKey('2147483647')
}
