import { identifiersKey, numbersOfSemver, prereleaseKey, splitSemver } from './semver.js'
import type { VersionOrder } from './version-order.js'

/**
 * Dart's Pub: SemVer 2.0.0, but build metadata counts: without it comes first, then as prereleases are ordered
 * (pub_semver 2.1, `Version.compareTo`).
 */
export const pub: VersionOrder = {
  name: 'pub',
  key(text) {
    const parts = splitSemver(text)
    if (parts === null) return null
    const build = parts.build === '' ? '!' : identifiersKey(parts.build)
    return numbersOfSemver(parts) + prereleaseKey(parts.prerelease) + build
  },
}
