import type { EpssScore, FixState, KevEntry, Severity, SnapshotIdentity } from './advisory.js'
import type { PackageChangeFacts, PackageFacts } from './image-diff.js'
import type { EvidenceKind, ImageIdentity } from './inventory.js'

/**
 * What is known of a vulnerability in an image. `unknown`: an advisory names the package, but its version, or one of the
 * advisory's, is none that its ecosystem has: nobody can say.
 */
export type FindingStatus = 'affected' | 'not_affected' | 'fixed' | 'under_investigation' | 'unknown'

/** A CVSS vector and the base score that follows from it. */
export interface CvssScore {
  readonly version: '2.0' | '3.0' | '3.1' | '4.0'
  readonly vector: string
  /** From 0 to 10. */
  readonly score: number
  /** Who says so. */
  readonly by: string
}

/** What a VEX statement made of a finding. */
export interface VexVerdict {
  /** File or address that the statement is from. */
  readonly document: string
  readonly author: string | null
  readonly status: 'not_affected' | 'affected' | 'fixed' | 'under_investigation'
  /** `component_not_present` …, in the words of OpenVEX; null where none is given. */
  readonly justification: string | null
  /** Impact or action, in the author's words; null where there is none. */
  readonly statement: string | null
  /** `2026-11-01T00:00:00.000Z`; null where nothing says so. */
  readonly at: string | null
}

/** Why the user wants a finding left out of gates. */
export interface IgnoredBy {
  /** In the user's words; null where none are given. */
  readonly reason: string | null
  /** `2026-12-31`, the last day on which it is ignored (UTC); null: for ever. */
  readonly until: string | null
}

/** One vulnerability in one package of an image. By package, then severity, then id; each once. */
export interface Finding {
  /** Of the advisory that was decisive: the distribution's own, else that of the ecosystem's database. */
  readonly id: string
  /** Every other name, closed over all records: CVEs first, ascending. */
  readonly aliases: readonly string[]
  readonly severity: Severity
  /** Who rated it so; null for `unknown`. */
  readonly severitySource: string | null
  readonly cvss: readonly CvssScore[]
  readonly package: { readonly name: string; readonly version: string; readonly type: string; readonly purl: string }
  /** The version that was compared: the source package's where the advisory is about that. */
  readonly installedVersion: string
  /** `< 1.2.3`, `>= 2.0, < 2.4.1 || = 3.0`; empty where the advisory gives none. */
  readonly affectedRange: string
  /** The lowest version above the installed one that is not affected; null: no fix. */
  readonly fixedVersion: string | null
  /** Why there is none; null where there is one. */
  readonly fixState: FixState | null
  readonly status: FindingStatus
  /** In one sentence why the status is not `affected`; null where it is. */
  readonly statusReason: string | null
  readonly vex: VexVerdict | null
  /** Set where the user's ignore file names it: it is shown, and no gate counts it. */
  readonly ignored: IgnoredBy | null
  readonly kev: Omit<KevEntry, 'cve'> | null
  /** The highest of its CVEs. */
  readonly epss: EpssScore | null
  /** Namespace of the data: `debian:distro:debian:12`, `alpine:distro:alpine:3.20`, `github:language:go`. */
  readonly reference: string
  readonly url: string | null
  readonly summary: string | null
  /** Name of the plug-in that read the advisory: `osv`, `debian-tracker`. */
  readonly source: string
  readonly layer: string | null
  /** Path in the image of the file that named the package. */
  readonly evidence: string
}

/** The advisory data that something was judged by, as documents show it. */
export interface ShownSnapshot {
  readonly id: string
  readonly builtAt: string
  /** Names of the sources that it has records of, ascending: `kev`, `osv`. */
  readonly sources: readonly string[]
}

/** What is known to affect an image: the document of `tidemark scan`. */
export interface ScanReport {
  readonly image: ImageIdentity
  readonly snapshot: ShownSnapshot
  readonly evidence: EvidenceKind
  /** False where packages may be missing, or there is no data for some of them; `warnings` say what. */
  readonly complete: boolean
  readonly findings: readonly Finding[]
  /** Bytes that the registry sent for this answer. */
  readonly bytesFetched: number
  readonly warnings: readonly string[]
}

/** What matching one inventory came to. */
export interface Judgement {
  readonly snapshot: SnapshotIdentity
  readonly findings: readonly Finding[]
  readonly complete: boolean
  readonly warnings: readonly string[]
}

/** Which package change made a finding come or go. */
export type FindingCause =
  | { readonly kind: 'changed'; readonly package: PackageChangeFacts }
  | { readonly kind: 'added' | 'removed'; readonly package: PackageFacts }
  /** No package changed: something else did, as `reason` says (a VEX statement, another distribution release). */
  | { readonly kind: 'other'; readonly reason: string }

/** A finding that came or went, and why. */
export interface CausedFinding extends Finding {
  readonly cause: FindingCause
}

/** What newer advisory data say of an image that did not change. Each list by package, severity, id. */
export interface NewlyKnown {
  /** By the newer data only. */
  readonly appeared: readonly Finding[]
  /** By the older data only: withdrawn, or found not to be about it. */
  readonly gone: readonly Finding[]
  readonly changed: readonly KnownChange[]
}

/** A finding of which newer data say something else. */
export interface KnownChange {
  readonly from: Finding
  readonly to: Finding
  /** What they say differently: `kev` and `fix` where there was none before, or no longer is. */
  readonly what: readonly ('severity' | 'status' | 'fix' | 'kev')[]
}

/** What two judgements by one snapshot differ in. Each list by package, severity, id. */
export interface VulnerabilitiesDiff {
  /** False where there is no advisory data for some packages of a side: nobody can say what came with these. */
  readonly complete: boolean
  readonly introduced: readonly CausedFinding[]
  readonly fixed: readonly CausedFinding[]
  /** As the second image has them. */
  readonly unchanged: readonly Finding[]
}
