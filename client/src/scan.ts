import type { PackageChange } from './diff.js'
import type { EvidenceKind, ImageIdentity, Package } from './packages.js'

/** What a VEX statement made of a finding. */
export interface VexVerdict {
  /** File or address that the statement is from. */
  document: string
  author: string | null
  status: 'not_affected' | 'affected' | 'fixed' | 'under_investigation'
  /** In the words of OpenVEX; null where none is given. */
  justification: string | null
  /** Impact or action; null where there is none. */
  statement: string | null
  /** `2026-11-01T00:00:00.000Z`; null where nothing says so. */
  at: string | null
}

/** One vulnerability in one package of an image. */
export interface Finding {
  /** Of the advisory that was decisive. */
  id: string
  /** Every other name; CVEs first. */
  aliases: string[]
  severity: 'critical' | 'high' | 'medium' | 'low' | 'negligible' | 'unknown'
  /** Who rated it so; null for `unknown`. */
  severitySource: string | null
  cvss: { version: '2.0' | '3.0' | '3.1' | '4.0'; vector: string; score: number; by: string }[]
  package: { name: string; version: string; type: string; purl: string }
  /** The version that was compared: the source package's where the advisory is about that. */
  installedVersion: string
  /** `>= 2.0, < 2.4.1 || = 3.0`; empty where the advisory gives none. */
  affectedRange: string
  /** The lowest version above the installed one that is not affected; null: no fix. */
  fixedVersion: string | null
  /** Why there is none; null where there is one. */
  fixState: 'open' | 'wont-fix' | 'deferred' | 'end-of-life' | null
  status: 'affected' | 'not_affected' | 'fixed' | 'under_investigation' | 'unknown'
  /** In one sentence why the status is not `affected`; null where it is. */
  statusReason: string | null
  vex: VexVerdict | null
  /** Set where the ignore file names it; `until` is a day, or null for ever. */
  ignored: { reason: string | null; until: string | null } | null
  /** CISA's catalog of known exploited vulnerabilities. */
  kev: { addedOn: string; dueOn: string | null; usedByRansomware: boolean } | null
  /** Both from 0 to 1. */
  epss: { score: number; percentile: number } | null
  /** Namespace of the data: `debian:distro:debian:12`. */
  reference: string
  url: string | null
  summary: string | null
  source: string
  layer: string | null
  /** Path in the image of the file that named the package. */
  evidence: string
}

/** What is known to affect an image. */
export interface ScanReport {
  image: ImageIdentity
  snapshot: { id: string; builtAt: string; sources: string[] }
  evidence: EvidenceKind
  /** False where packages may be missing, or there is no data for some of them; `warnings` say what. */
  complete: boolean
  /** By package, then severity, then id. */
  findings: Finding[]
  /** Bytes that the registry sent for this answer. */
  bytesFetched: number
  warnings: string[]
}

/** What only newer advisory data say of an image. Each list by package, severity, id. */
export interface NewlyKnown {
  /** Digest of the older data. */
  since: string
  /** By the newer data only. */
  appeared: Finding[]
  /** By the older data only. */
  gone: Finding[]
  /** Of which newer data say something else. */
  changed: { from: Finding; to: Finding; what: ('severity' | 'status' | 'fix' | 'kev')[] }[]
}

/** Why one vulnerability is, or is not, among what a scan finds. */
export interface Explanation {
  /** As it was asked for. */
  id: string
  /** Every other name; CVEs first. */
  aliases: string[]
  image: ImageIdentity
  snapshot: { id: string; builtAt: string; sources: string[] }
  complete: boolean
  /** What a scan would show of it. */
  findings: Finding[]
  /** Every record of it, and what it came to for each package that it could be about. */
  decisions: Decision[]
  warnings: string[]
}

/** An advisory, a package that it was held against, and what decided. */
export interface Decision {
  code: string
  sentence: string
  /** null where no record has that id. */
  advisory: { source: string; id: string } | null
  /** null where no package of the image has a name that the advisory has. */
  package: { name: string; version: string; purl: string; evidence: string } | null
  installedVersion: string | null
  affectedRange: string
  fixedVersion: string | null
}

/** Which package change made a finding come or go. */
export type FindingCause =
  | { kind: 'changed'; package: PackageChange }
  | { kind: 'added' | 'removed'; package: Package }
  | { kind: 'other'; reason: string }

/** A finding that came or went, and why. */
export interface CausedFinding extends Finding {
  cause: FindingCause
}

/** Vulnerabilities that came, went and stayed. Each list by package, severity, id. */
export interface VulnerabilitiesDiff {
  /** False where there is no advisory data for some packages of a side. */
  complete: boolean
  introduced: CausedFinding[]
  fixed: CausedFinding[]
  /** As the second image has them. */
  unchanged: Finding[]
}
