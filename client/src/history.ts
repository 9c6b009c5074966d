/** How the tag came to point at an entry's digest. */
export type HistoryKind = 'first-seen' | 'moved' | 'rolled-back' | 'removed' | 're-created'

/** What a move changed, as far as the manifests tell. */
export type HistoryChange =
  | 'content'
  | 'platform-added'
  | 'platform-removed'
  | 'attestation-only'
  | 'config-only'
  | 'rebuild'
  | 'media-type'

/** Who says so: our own look, the registry's own records, or a history that was brought along. */
export type HistorySource = 'head' | 'reported' | 'import'

/** One line of a tag's history. Times are ISO 8601 in UTC with milliseconds. */
export interface HistoryEntry {
  /** null: the tag was removed. */
  digest: string | null
  /** The time that orders, filters and dates: `pushedAt` where it can be true, else `seenAt`. */
  at: string
  /** When Tidemark saw it; null when it did not. */
  seenAt: string | null
  /** The last time when it was seen that it had not happened yet. */
  notBefore: string | null
  /** When the registry, or an imported history, says that it was pushed. */
  pushedAt: string | null
  kind: HistoryKind
  /** Empty where there was nothing to compare with. */
  changes: HistoryChange[]
  source: HistorySource
}

/** A span in which the tag could not be asked; what happened in it may have left no trace. */
export interface HistoryGap {
  from: string
  /** null: it lasts. */
  to: string | null
  /** `denied`, `rate-limited`, `unreachable`, `timeout`, `tls`, `broken-answer`, `not-found`, `not-running` … */
  reason: string
}

/** The history of one tag. */
export interface History {
  reference: string
  entries: HistoryEntry[]
  gaps: HistoryGap[]
}

/** The form of the Tag History API, oldest first: what `history --export` prints and `history import` reads. */
export interface HistoryExport {
  history: { updateTimestamp: string; digest: string }[]
}

/** What an import did. */
export interface HistoryImportResult {
  reference: string
  /** Entries that were added. */
  inserted: number
  /** Entries that were there and learned when they were pushed. */
  dated: number
}
