import type { Package } from './package.js'

/** One SPDX expression for licenses that all hold; null for none. */
export function joinLicenses(licenses: readonly string[]): string | null {
  if (licenses.length < 2) return licenses[0] ?? null
  return licenses.map((license) => (/\sOR\s/.test(license) ? `(${license})` : license)).join(' AND ')
}

/** Every `LicenseRef-…` of some packages' expressions, in ascending order. */
export function licenseReferences(packages: readonly Package[]): string[] {
  const references = new Set<string>()
  for (const { licenses } of packages) {
    for (const license of licenses) {
      for (const [reference] of license.matchAll(/(?<![\w:.-])LicenseRef-[A-Za-z0-9.-]+/g)) references.add(reference)
    }
  }
  return [...references].sort()
}
