import type {
  ChainguardDiff,
  ChainguardPackage,
  ChainguardScan,
  ChainguardVulnerability,
} from '../../client/src/index.js'
import { type Severity, severities } from '../core/advisory.js'
import { oneLine } from '../core/fault.js'
import type { Finding } from '../core/finding.js'
import type { ImageDiff, PackageChangeFacts, PackageFacts } from '../core/image-diff.js'
import { version } from '../version.js'
import { toChainguardConfig } from './chainguard/config.js'
import type { DiffFormat } from './format.js'

export type { ChainguardDiff } from '../../client/src/index.js'

/** The API cuts entries there. */
const maxWarningLength = 256
/** The API may cut long lists without saying where; more are of no use to a reader. */
const maxWarnings = 100

/** A diff in the form of Chainguard's Image Diff API; its lists by name, version and package URL. */
export function toChainguardDiff(diff: ImageDiff): ChainguardDiff {
  const { snapshot } = diff
  const { added, removed, changed } = diff.packages
  return {
    packages: {
      added: sorted(added.map(toPackage)),
      removed: sorted(removed.map(toPackage)),
      changed: changed.map(toChange).sort((a, b) => {
        return compare(
          [a.name, a.current.reference, a.previous.reference],
          [b.name, b.current.reference, b.previous.reference],
        )
      }),
    },
    vulnerabilities: {
      added: toVulnerabilities(diff.vulnerabilities?.introduced ?? []),
      removed: toVulnerabilities(diff.vulnerabilities?.fixed ?? []),
      metadata: [diff.from, diff.to].flatMap(({ digest }) =>
        snapshot === null ? [] : [toScan(digest, snapshot.builtAt)],
      ),
    },
    config: toChainguardConfig(diff.config),
    warnings: warningsOf(diff),
  }
}

/** `-o chainguard`. */
export const chainguard: DiffFormat = {
  name: 'chainguard',
  mediaType: 'application/json',
  write: (diff) => `${JSON.stringify(toChainguardDiff(diff), null, 2)}\n`,
}

function toPackage({ name, version, purl }: PackageFacts): ChainguardPackage {
  return { name, version, reference: purl }
}

function toChange({ name, from, to, fromPurl, toPurl }: PackageChangeFacts) {
  return { name, current: { version: to, reference: toPurl }, previous: { version: from, reference: fromPurl } }
}

/** Each id of a namespace once, with its worst severity. */
function toVulnerabilities(findings: readonly Finding[]): ChainguardVulnerability[] {
  const found = new Map<string, { id: string; reference: string; severity: Severity }>()
  for (const { id: own, reference, severity } of findings) {
    const id = restatedCve(own) ?? own
    const key = `${id}\0${reference}`
    const before = found.get(key)
    if (before === undefined || severities.indexOf(severity) < severities.indexOf(before.severity)) {
      found.set(key, { id, reference, severity })
    }
  }
  return [...found.values()]
    .sort((a, b) => compare([a.id, a.reference], [b.id, b.reference]))
    .map(({ severity, ...rest }) => ({ ...rest, severity: `${severity.charAt(0).toUpperCase()}${severity.slice(1)}` }))
}

/** Clients look for CVEs: `DEBIAN-CVE-2024-3094` is what Debian says of that one, and no other name for several. */
function restatedCve(id: string): string | null {
  return /^[A-Z]+-(CVE-\d{4}-\d+)$/.exec(id)?.[1] ?? null
}

function toScan(digest: string | null, builtAt: string): ChainguardScan {
  return {
    digest: digest ?? '',
    scanner: { name: 'tidemark', version: `v${version}` },
    vulnerabilityDbLastBuildTime: builtAt,
    vulnerabilityDbSchemaVersion: '1',
  }
}

function sorted(packages: ChainguardPackage[]): ChainguardPackage[] {
  return packages.sort((a, b) => compare([a.name, a.version, a.reference], [b.name, b.version, b.reference]))
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const other = b[index] ?? ''
    if (text !== other) return text < other ? -1 : 1
  }
  return 0
}

function warningsOf({ complete, warnings, vulnerabilities }: ImageDiff): string[] {
  const all = [
    ...(vulnerabilities === null ? ['vulnerabilities were not compared: there is no advisory data'] : []),
    ...(!complete && warnings.length === 0 ? ['an image could be read only in part'] : warnings),
  ]
  return shownWarnings(all)
}

/** Warnings as the API shows them: not too many, none too long. */
export function shownWarnings(all: readonly string[]): string[] {
  const shown = all.slice(0, all.length > maxWarnings ? maxWarnings - 1 : maxWarnings).map((warning) => cut(warning))
  if (shown.length < all.length) shown.push(`${all.length - shown.length} more warnings`)
  return shown
}

function cut(warning: string): string {
  const line = oneLine(warning)
  return line.length > maxWarningLength ? `${line.slice(0, maxWarningLength - 1)}…` : line
}
