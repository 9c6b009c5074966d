import type { ImageDiff } from '../core/image-diff.js'
import type { Package } from '../core/package.js'
import { diffSets } from './sets.js'

/** License expressions that the packages of one side have only. */
export function diffLicenses(from: readonly Package[], to: readonly Package[]): ImageDiff['licenses'] {
  const { added, removed } = diffSets(licensesOf(from), licensesOf(to))
  return { gained: added, lost: removed }
}

function licensesOf(packages: readonly Package[]): Set<string> {
  const licenses = new Set<string>()
  for (const one of packages) for (const license of one.licenses) licenses.add(license)
  return licenses
}
