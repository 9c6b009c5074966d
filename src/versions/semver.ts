import { matchVersion } from './match-version.js'
import { numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * SemVer 2.0.0, section 11: npm, Hex, Swift, GitHub Actions, and what OSV calls SEMVER. Also read: a leading `v` or `=`,
 * and missing parts (`1`, `1.2-beta`), which are 0. Build metadata does not count. Leading zeros are refused, as SemVer does.
 */
export const semver: VersionOrder = {
  name: 'semver',
  key(text) {
    const parts = splitSemver(text)
    return parts === null ? null : numbersOfSemver(parts) + prereleaseKey(parts.prerelease)
  },
}

/** The parts of a semantic version as written. */
interface SemverParts {
  readonly major: string
  /** `0` when not written, as is `patch`. */
  readonly minor: string
  readonly patch: string
  /** `rc.1`, or empty. */
  readonly prerelease: string
  /** What follows the `+`, or empty. */
  readonly build: string
}

const number = '(0|[1-9][0-9]*)'
const identifier = '(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)'
const pattern = new RegExp(
  `^[v=]?${number}(?:\\.${number}(?:\\.${number})?)?` +
    `(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+([0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?$`,
)

/** The parts of a semantic version, with the tolerance of {@link semver}; null when it is none. */
export function splitSemver(text: string): SemverParts | null {
  const match = matchVersion(pattern, text)
  if (match === null) return null
  const [, major = '0', minor = '0', patch = '0', prerelease = '', build = ''] = match
  return { major, minor, patch, prerelease, build }
}

/** A sort key of major, minor and patch. */
export function numbersOfSemver({ major, minor, patch }: SemverParts): string {
  return numberKey(major) + numberKey(minor) + numberKey(patch)
}

/** A sort key of a prerelease: none is after all. */
export function prereleaseKey(prerelease: string): string {
  return prerelease === '' ? '~' : identifiersKey(prerelease)
}

/** A sort key of identifiers with dots between: numbers before words, and fewer before more. */
export function identifiersKey(identifiers: string): string {
  let built = ''
  for (const one of identifiers.split('.')) {
    built += /^[0-9]+$/.test(one) ? `1${numberKey(one)}` : `2${one}${wordEnd}`
  }
  return `${built}0`
}
