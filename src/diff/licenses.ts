import type { Package } from '../core/package.js'

/** License expressions that only one side has. */
export interface LicensesDiff {
  readonly gained: readonly string[]
  readonly lost: readonly string[]
}

/** Compares the license expressions of all packages of two images. */
export function diffLicenses(from: readonly Package[], to: readonly Package[]): LicensesDiff {
  const before = new Set(from.flatMap(({ licenses }) => licenses))
  const after = new Set(to.flatMap(({ licenses }) => licenses))
  return {
    gained: [...after].filter((license) => !before.has(license)).sort(),
    lost: [...before].filter((license) => !after.has(license)).sort(),
  }
}
