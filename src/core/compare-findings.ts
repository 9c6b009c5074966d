import { severities } from './advisory.js'
import { compareTexts } from './compare-texts.js'
import type { Finding } from './finding.js'

/** The order of findings in lists: by package, the worst severity first, then by id; all by code unit (see finding.ts). */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareTexts(a.package.name, b.package.name) ||
    compareTexts(a.package.type, b.package.type) ||
    compareTexts(a.package.version, b.package.version) ||
    compareTexts(a.package.purl, b.package.purl) ||
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    compareTexts(a.id, b.id) ||
    compareTexts(a.evidence, b.evidence) ||
    compareTexts(a.layer ?? '', b.layer ?? '')
  )
}
