import { compareTexts } from './compare-texts.js'
import type { Digest } from './digest.js'

/** How the tag came to point at the digest of an entry. */
export type HistoryKind = 'first-seen' | 'moved' | 'rolled-back' | 'removed' | 're-created'

/**
 * What the move changed, as far as the manifests tell. Empty where there was nothing to compare with (a first entry, a
 * removal, an entry that was reported or imported without its manifest).
 */
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

/** When a tag began to point at something. All times in milliseconds since the epoch. */
export interface HistoryMoment {
  /** null: at nothing, the tag was removed. */
  readonly digest: Digest | null
  /** The one time that orders, filters and dates: `pushedAt` where it lies in (`notBefore`, `seenAt`], else `seenAt`. */
  readonly at: number
  /** When we saw it; null when we did not. */
  readonly seenAt: number | null
  /** The last time when we saw that it had not happened yet; null when we had never looked. */
  readonly notBefore: number | null
  /** When the registry, or an imported history, says that it was pushed. */
  readonly pushedAt: number | null
  readonly source: HistorySource
}

/** A line of a tag's history. */
export interface HistoryEntry extends HistoryMoment {
  readonly kind: HistoryKind
  readonly changes: readonly HistoryChange[]
}

/** A span in which the tag could not be asked. What happened in it may have left no trace. */
export interface HistoryGap {
  readonly from: number
  /** null: it lasts. */
  readonly to: number | null
  readonly reason: string
}

/** The time that dates a move which we saw at `seenAt`, not before `notBefore`, and which the registry dates `pushedAt`. */
export function momentOf(seenAt: number, notBefore: number | null, pushedAt: number | null): number {
  if (pushedAt === null || pushedAt > seenAt) return seenAt
  return notBefore === null || pushedAt > notBefore ? pushedAt : seenAt
}

/**
 * The kind of each entry of one tag, oldest first: what it is depends on all before it, so an entry that is inserted into
 * the past changes the kinds after it.
 */
export function kindsOf(digests: Iterable<Digest | null>): HistoryKind[] {
  const seen = new Set<Digest>()
  const kinds: HistoryKind[] = []
  let previous: Digest | null | undefined
  for (const digest of digests) {
    kinds.push(kindAfter(previous, digest, digest !== null && seen.has(digest)))
    if (digest !== null) seen.add(digest)
    previous = digest
  }
  return kinds
}

/** The kind of one entry: `previous` is undefined for the first, `seenBefore` tells whether the tag ever had `digest`. */
export function kindAfter(
  previous: Digest | null | undefined,
  digest: Digest | null,
  seenBefore: boolean,
): HistoryKind {
  if (digest === null) return 'removed'
  if (previous === undefined) return 'first-seen'
  if (previous === null) return 're-created'
  return seenBefore ? 'rolled-back' : 'moved'
}

/** A past assignment that somebody claims: a registry's own records, or an imported history. */
export interface HistoryClaim {
  /** null: at nothing, the tag was removed. */
  readonly digest: Digest | null
  readonly at: number
}

/** What claims do to a history: rows to insert, and times to fill in on entries that are there. */
export interface HistoryMerge {
  readonly inserted: readonly HistoryMoment[]
  /** Entries of `existing`, by their place in it, that learn when they were pushed. */
  readonly dated: readonly { readonly index: number; readonly pushedAt: number; readonly at: number }[]
}

/**
 * Merges claims into one tag's history.
 *
 * All facts of both are laid out in time and cut into runs of one digest: a history entry is where the tag *began* to point
 * at something, so a run is one entry. Where an entry of ours is in the run, it proves the move, and a claim only fills its
 * `pushedAt`. Else the earliest claim is the entry. The same claims a second time change nothing.
 * @param existing oldest first
 */
export function mergeClaims(
  existing: readonly HistoryMoment[],
  claims: readonly HistoryClaim[],
  source: Exclude<HistorySource, 'head'>,
): HistoryMerge {
  const dated: HistoryMerge['dated'][number][] = []
  const inserted: HistoryMoment[] = []
  for (const run of runsOf(existing, claims)) {
    const earliest = run.claims[0]
    if (earliest === undefined) continue
    const index = run.existing[0]
    const entry = index === undefined ? undefined : existing[index]
    if (index === undefined || entry === undefined) {
      inserted.push({ ...earliest, seenAt: null, notBefore: null, pushedAt: earliest.at, source })
    } else if (entry.source === 'head') {
      const inWindow = run.claims.find((claim) => momentOf(entry.at, entry.notBefore, claim.at) === claim.at)
      if (inWindow && entry.pushedAt === null) dated.push({ index, pushedAt: inWindow.at, at: inWindow.at })
    } else if (earliest.at < entry.at) {
      dated.push({ index, pushedAt: earliest.at, at: earliest.at })
    }
  }
  return { inserted, dated }
}

interface Run {
  readonly digest: Digest | null
  /** Places in `existing`. */
  readonly existing: number[]
  readonly claims: HistoryClaim[]
}

function runsOf(existing: readonly HistoryMoment[], claims: readonly HistoryClaim[]): Run[] {
  const known = new Set(existing.map(({ at, digest }) => `${at} ${digest}`))
  const facts = [
    ...existing.map((moment, index) => ({ moment, index })),
    ...claims.filter(({ at, digest }) => !known.has(`${at} ${digest}`)).map((claim) => ({ moment: claim, claim })),
  ]
  facts.sort((a, b) => a.moment.at - b.moment.at || compareTexts(a.moment.digest ?? '', b.moment.digest ?? ''))
  const runs: Run[] = []
  for (const fact of facts) {
    const { digest } = fact.moment
    if (runs.at(-1)?.digest !== digest) runs.push({ digest, existing: [], claims: [] })
    const run = runs.at(-1) as Run
    if ('claim' in fact) run.claims.push(fact.claim)
    else run.existing.push(fact.index)
  }
  return runs
}
