import { compareTexts } from './compare-texts.js'
import type { Package } from './package.js'

/**
 * The order of packages in lists: by type, name, version, architecture and evidence, by code unit (see inventory.ts). What is still alike is told apart by all else, so that a sorted list does not depend on how it came.
 */
export function comparePackages(a: Package, b: Package): number {
  return (
    compareTexts(a.type, b.type) ||
    compareTexts(a.name, b.name) ||
    compareTexts(a.version, b.version) ||
    compareTexts(a.architecture ?? '', b.architecture ?? '') ||
    compareTexts(a.evidence, b.evidence) ||
    compareTexts(a.purl, b.purl) ||
    compareTexts(a.layer ?? '', b.layer ?? '') ||
    compareTexts(a.licenses.join(' '), b.licenses.join(' ')) ||
    compareTexts(a.source?.name ?? '', b.source?.name ?? '') ||
    compareTexts(a.source?.version ?? '', b.source?.version ?? '')
  )
}
