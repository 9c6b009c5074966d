/** In this order, the worst first; `unknown`: nobody has rated it. */
export const severities = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const

/** How bad a vulnerability is, in the words of most distributions and of CVSS's qualitative scale. */
export type Severity = (typeof severities)[number]

/** What somebody says of how bad it is: a CVSS vector, or a word of their own (`Important`, `unimportant`). */
export interface Rating {
  readonly system: 'CVSS_V2' | 'CVSS_V3' | 'CVSS_V4' | 'word'
  /** The vector, or the word as it was written. */
  readonly value: string
  /** Who says so: the name of the source, or of whom it quotes. */
  readonly by: string
}

/** An advisory as its source published it, without the packages that it is about. */
export interface AdvisoryHead {
  /** Name of the plug-in in `vuln/sources` that read it: `osv`, `alpine-secdb`. */
  readonly source: string
  /** `DSA-5380-1`, `GHSA-…`, `ALPINE-CVE-2019-14697`; unique within its source. */
  readonly id: string
  /** Other names of the same vulnerability (OSV `aliases`). */
  readonly aliases: readonly string[]
  /** What it passes on (OSV `upstream`): one advisory may name many. */
  readonly upstream: readonly string[]
  /** Milliseconds since the epoch; null where nothing says so. */
  readonly publishedAt: number | null
  readonly modifiedAt: number | null
  /** Since when it no longer holds; null where it does. */
  readonly withdrawnAt: number | null
  /** One line; null for none. */
  readonly summary: string | null
  readonly ratings: readonly Rating[]
  /** A page about it; null for none. */
  readonly url: string | null
}

/** An advisory with the packages that it is about. */
export interface Advisory extends AdvisoryHead {
  readonly affected: readonly AffectedPackage[]
}

/**
 * What an advisory says of one package.
 *
 * `affected` and `under-investigation`: of the versions that `versions` lists or a range holds; with neither, of none (OSV
 * schema 1.7, "Evaluation"). `not-affected`: of all versions where both are empty ("never affected").
 */
export interface AffectedPackage {
  /** As OSV writes it, with the release: `Debian:12`, `Alpine:v3.20`, `Wolfi`, `npm` (OSV schema 1.7, "Defined Ecosystems"). */
  readonly ecosystem: string
  /** As `advisoryName` of core/advisory-name.ts folds it: a source package for Debian, Ubuntu and Alpine. */
  readonly name: string
  readonly status: 'affected' | 'not-affected' | 'under-investigation'
  readonly ranges: readonly AffectedRange[]
  /** Versions that are named one by one. */
  readonly versions: readonly string[]
  /** Why there is no fixed version, where the source says so. */
  readonly fix: FixState
  /** Empty: all. */
  readonly architectures: readonly string[]
  /** rpm module, `name:stream`; null for none. */
  readonly module: string | null
  /** Names of binary packages that alone are meant (SUSE's `binaries`); empty: all. */
  readonly binaries: readonly string[]
  /** Of this package only; they go before those of the advisory. */
  readonly ratings: readonly Rating[]
}

/** `open`: no fix yet, or none is named; the others as Debian's and Red Hat's trackers tell them apart. */
export type FixState = 'open' | 'wont-fix' | 'deferred' | 'end-of-life'

/** A line of versions, cut by events. Ranges of commits (`GIT`) are no part of it: images hold no commits. */
export interface AffectedRange {
  readonly type: 'SEMVER' | 'ECOSYSTEM'
  /** As published, in any order. */
  readonly events: readonly RangeEvent[]
}

/** `introduced` `0` is before every version; `last-affected` is in the range, `fixed` and `limit` are not. */
export interface RangeEvent {
  readonly kind: 'introduced' | 'fixed' | 'last-affected' | 'limit'
  readonly version: string
}

/** An advisory as far as it is about one package. */
export interface AdvisoryEntry {
  readonly advisory: AdvisoryHead
  readonly affected: AffectedPackage
}

/** A line of CISA's catalog of known exploited vulnerabilities. */
export interface KevEntry {
  readonly cve: string
  /** `2025-08-25` */
  readonly addedOn: string
  /** By when agencies must have acted; null where none is given. */
  readonly dueOn: string | null
  readonly usedByRansomware: boolean
}

/** What EPSS (first.org) foretells. */
export interface EpssScore {
  /** Probability from 0 to 1 that it is exploited within 30 days. */
  readonly score: number
  /** Share of all CVEs that score no higher, from 0 to 1. */
  readonly percentile: number
}

/** A release of a distribution or runtime and until when it is looked after. */
export interface ProductRelease {
  /** As its os-release writes it: `12`, `3.20`, `22.04`. */
  readonly release: string
  /** `2026-06-10`, the last day of security support that anybody gets for nothing; null: none is set. */
  readonly endsOn: string | null
  /** The last day of support that is paid for or done by others (LTS, ESM); null where there is none. */
  readonly extendedEndsOn: string | null
}

/** What one source gave to a snapshot. */
export interface SnapshotSource {
  /** Name of its plug-in. */
  readonly name: string
  /** Which part of it: an ecosystem, a release; null where it has one part only. */
  readonly part: string | null
  readonly records: number
  /** Records that could not be read, each of which was left out. */
  readonly refused: number
  /** When it was downloaded or imported, in milliseconds since the epoch. */
  readonly fetchedAt: number
  /** Why it could not be renewed the last time, so that an older part is still in use; null where it could. */
  readonly failure: string | null
}

/** Which advisory data something was judged by. */
export interface SnapshotIdentity {
  /** A digest of the content: the same records give the same id, whoever built it. */
  readonly id: string
  /** In milliseconds since the epoch. */
  readonly builtAt: number
}

/** An immutable snapshot of advisory data, read by key. `vuln/snapshot.ts` opens one. Nothing here waits. */
export interface Advisories {
  readonly identity: SnapshotIdentity
  readonly sources: readonly SnapshotSource[]
  /** Every ecosystem that some record is about, with its release; ascending. */
  readonly ecosystems: readonly string[]
  /** All that is said of a package of an ecosystem, by source and id, withdrawn advisories among it. `name` is folded (core/advisory-name.ts). */
  of(ecosystem: string, name: string): readonly AdvisoryEntry[]
  /**
   * Every advisory with that id, or which names it as an alias or as what it passes on; by source and id. `affected` is read when
   * it is asked for, and cannot be after `close`.
   */
  named(id: string): readonly Advisory[]
  kev(cve: string): KevEntry | null
  epss(cve: string): EpssScore | null
  /** By the id of os-release(5) (`debian`, `ubuntu`) or of a runtime (`nodejs`, `python`, `go`); empty where nothing is known. */
  releases(product: string): readonly ProductRelease[]
  close(): void
}
