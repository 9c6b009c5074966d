import { oneLine } from '../core/fault.js'
import type { ImageDiff, PackageChangeFacts, PackageFacts } from '../core/image-diff.js'
import type { DiffFormat } from './format.js'

/** A package: `reference` is its package URL. */
export interface ChainguardPackage {
  readonly name: string
  readonly version: string
  readonly reference: string
}

/** One side of a changed package. */
export interface ChainguardVersion {
  readonly version: string
  readonly reference: string
}

/** The answer of Chainguard's Image Diff API, `DiffImageResponse` of registry.platform.proto. Every list is always there. */
export interface ChainguardDiff {
  readonly packages: {
    readonly added: readonly ChainguardPackage[]
    readonly removed: readonly ChainguardPackage[]
    readonly changed: readonly {
      readonly name: string
      /** The second image. */
      readonly current: ChainguardVersion
      readonly previous: ChainguardVersion
    }[]
  }
  /** Empty here: who matches vulnerabilities fills them in. */
  readonly vulnerabilities: {
    readonly added: readonly never[]
    readonly removed: readonly never[]
    readonly metadata: readonly never[]
  }
  readonly warnings: readonly string[]
}

/** The API cuts entries there. */
const maxWarningLength = 256
/** The API may cut long lists without saying where; more are of no use to a reader. */
const maxWarnings = 100

/** A diff in the form of Chainguard's Image Diff API; its lists by name, version and package URL. */
export function toChainguardDiff(diff: ImageDiff): ChainguardDiff {
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
    vulnerabilities: { added: [], removed: [], metadata: [] },
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

function warningsOf({ complete, warnings }: ImageDiff): string[] {
  const all = !complete && warnings.length === 0 ? ['an image could be read only in part'] : warnings
  const shown = all.slice(0, all.length > maxWarnings ? maxWarnings - 1 : maxWarnings).map((warning) => cut(warning))
  if (shown.length < all.length) shown.push(`${all.length - shown.length} more warnings`)
  return shown
}

function cut(warning: string): string {
  const line = oneLine(warning)
  return line.length > maxWarningLength ? `${line.slice(0, maxWarningLength - 1)}…` : line
}
