import type { HistoryEntry, HistoryKind } from './history.js'

/** Something happened to a watched tag: a history entry was written. */
export interface TidemarkEvent {
  /** Grows; what `Last-Event-ID` resumes after. */
  id: number
  type: `tag.${HistoryKind}`
  /** When Tidemark learned of it. */
  at: string
  reference: string
  entry: HistoryEntry
  /** What the tag pointed at before. */
  previousDigest: string | null
}
