import type { HistoryEntry, HistoryKind } from './history.js'
import type { Finding } from './scan.js'

/** Something happened to a watched tag. */
export type TidemarkEvent = TagEvent | NewlyKnownEvent

interface EventBase {
  /** Grows; what `Last-Event-ID` resumes after. */
  id: number
  /** When Tidemark learned of it. */
  at: string
  reference: string
}

/** A history entry was written. */
export interface TagEvent extends EventBase {
  type: `tag.${HistoryKind}`
  entry: HistoryEntry
  /** What the tag pointed at before. */
  previousDigest: string | null
}

/** Newer advisory data say more of an image that a watched tag points at; the image itself is as it was. */
export interface NewlyKnownEvent extends EventBase {
  type: 'image.newly-known'
  /** Of the manifest of that platform. */
  digest: string
  platform: string | null
  snapshot: { id: string; builtAt: string }
  /** The worst first; at most 100. */
  findings: NewlyKnownFinding[]
  /** How many there are in all. */
  count: number
}

/** What an event tells of a finding. */
export type NewlyKnownFinding = Pick<Finding, 'id' | 'aliases' | 'severity' | 'package' | 'fixedVersion' | 'url'>
