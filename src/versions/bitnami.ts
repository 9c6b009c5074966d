import { identifiersKey, numbersOfSemver, splitSemver } from './semver.js'
import type { VersionOrder } from './version-order.js'

/**
 * Bitnami: SemVer in form, but what follows the hyphen is a revision, and a version with one is newer than the version
 * without: `1.2.3` < `1.2.3-1` < `1.2.3-2` (github.com/bitnami/go-version v1.0.0, README).
 */
export const bitnami: VersionOrder = {
  name: 'bitnami',
  key(text) {
    const parts = splitSemver(text)
    if (parts === null) return null
    return numbersOfSemver(parts) + (parts.prerelease === '' ? '!' : identifiersKey(parts.prerelease))
  },
}
