import type { Digest } from '../core/digest.js'
import type { HistoryChange, HistoryKind } from '../core/history.js'

/** A move as it was seen: an entry of a tag's history, and what it left the tag with. */
export interface SeenMove {
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number
  /** What the tag pointed at before; null: at nothing. */
  readonly from: Digest | null
  /** What it points at now; null: at nothing, the tag was removed. */
  readonly to: Digest | null
  readonly kind: HistoryKind
  readonly changes: readonly HistoryChange[]
  /** Platforms of both, each with its manifest's digest; null: not known, so nothing may be said about them. */
  readonly platformsBefore: Platforms | null
  readonly platformsAfter: Platforms | null
}

/** The manifest of each platform, by the platform's name (`linux/arm64`); an image that is no index has one. */
export type Platforms = ReadonlyMap<string, Digest>

/** Moves of one tag that wait to become one event. Nothing else is kept: it may be written down and taken up again. */
export interface HeldMoves {
  readonly first: SeenMove
  readonly last: SeenMove
  readonly count: number
  /** Changes that one of them had, `media-type` only where the last state differs in it from the first. */
  readonly changes: readonly HistoryChange[]
  /** Digests that the tag never had before these moves. */
  readonly fresh: readonly Digest[]
  /** When they become an event if nothing else is seen. */
  readonly until: number
}

/** What is told of one or several moves. */
export interface SettledMove {
  /** When the first of them was seen, and the last. */
  readonly firstAt: number
  readonly lastAt: number
  readonly from: Digest | null
  readonly to: Digest | null
  readonly kind: HistoryKind
  /** `returned`: the tag is back at what it pointed at before them all. */
  readonly outcome: 'moved' | 'returned'
  readonly changes: readonly HistoryChange[]
  /** How many entries of the history it stands for. */
  readonly moves: number
}

/** What a step comes to: events that are due now, and what is held on. */
export interface SettleStep {
  readonly settled: readonly SettledMove[]
  readonly held: HeldMoves | null
}

/**
 * How long a tag must stand still after a move that may be a part of a push, before it is told: as long as the shortest usual
 * interval, so that two looks agree. Scripts that write an index architecture by architecture take seconds for each.
 */
export const defaultSettleMs = 60_000
/** However often a tag moves, a move is told after this many windows. */
export const longestSettleWindows = 5

/**
 * Takes up a move of a tag.
 *
 * | the move                                                               | what follows                               |
 * |------------------------------------------------------------------------|--------------------------------------------|
 * | nothing is held; every platform there was has another manifest now     | told at once: a push that is whole         |
 * | nothing is held; a platform is missing or is as it was, or not known   | held for a window                          |
 * | something is held, and its time is over                                | that is told; the move is one of its own   |
 * | something is held; with the move every platform there was is replaced  | told as one, at once                       |
 * | something is held; anything else, also other content and a removal     | one with it; the window begins anew        |
 * | back at the first digest                                               | as above; told as `returned`, not left out |
 *
 * A tag that was back after a minute did point elsewhere, and somebody may have pulled it: so that is told, too. The history has
 * an entry of every move from the moment it was seen; only events wait.
 * @param windowMs 0: nothing is held, each move is an event
 */
export function settleMove(held: HeldMoves | null, move: SeenMove, windowMs: number): SettleStep {
  const due = settleDue(held, move.at)
  const joined = join(due.held, move, windowMs)
  const isTold = windowMs <= 0 || isWhole(joined.first.platformsBefore, move) || joined.until <= move.at
  if (!isTold) return { settled: due.settled, held: joined }
  return { settled: [...due.settled, settledOf(joined)], held: null }
}

/** What is due when time has passed without a move. */
export function settleDue(held: HeldMoves | null, now: number): SettleStep {
  if (held === null || now < held.until) return { settled: [], held }
  return { settled: [settledOf(held)], held: null }
}

function join(held: HeldMoves | null, move: SeenMove, windowMs: number): HeldMoves {
  const first = held?.first ?? move
  const isFresh = move.to !== null && (move.kind === 'moved' || move.kind === 'first-seen')
  return {
    first,
    last: move,
    count: (held?.count ?? 0) + 1,
    changes: joinChanges(held?.changes ?? [], move.changes),
    fresh: [...(held?.fresh ?? []), ...(isFresh && move.to !== null ? [move.to] : [])],
    until: Math.min(move.at + windowMs, first.at + longestSettleWindows * windowMs),
  }
}

/** An index that becomes an image and then an index again has not changed its media type. */
function joinChanges(before: readonly HistoryChange[], more: readonly HistoryChange[]): HistoryChange[] {
  const changes = new Set([...before, ...more])
  if (before.includes('media-type') && more.includes('media-type')) changes.delete('media-type')
  return [...changes]
}

/** Every platform that was there has another manifest: nothing of a push that replaces them is missing. Not known is not whole. */
function isWhole(before: Platforms | null, { platformsAfter: after }: SeenMove): boolean {
  if (before === null || after === null || before.size === 0) return false
  for (const [platform, digest] of before) if (!after.has(platform) || after.get(platform) === digest) return false
  return true
}

function settledOf(held: HeldMoves): SettledMove {
  const { first, last, count } = held
  return {
    firstAt: first.at,
    lastAt: last.at,
    from: first.from,
    to: last.to,
    kind: count === 1 ? first.kind : kindOf(held),
    outcome: first.from === last.to ? 'returned' : 'moved',
    changes: count === 1 ? first.changes : changesOf(held),
    moves: count,
  }
}

/** What the kind would be if nothing had been between the first digest and the last. */
function kindOf({ first, last, fresh }: HeldMoves): HistoryKind {
  if (last.to === null) return 'removed'
  if (first.from === null) return first.kind
  const isOld = last.kind === 'rolled-back' && !fresh.includes(last.to)
  return isOld || first.from === last.to ? 'rolled-back' : 'moved'
}

/** From the first state to the last: a platform that went and came back is no change. */
function changesOf({ first, last, changes }: HeldMoves): HistoryChange[] {
  if (first.from === last.to) return []
  const before = first.platformsBefore
  const after = last.platformsAfter
  if (before === null || after === null) return [...changes]
  const net = new Set<HistoryChange>(changes.includes('media-type') ? ['media-type'] : [])
  for (const [platform, digest] of after) {
    if (!before.has(platform)) net.add('platform-added')
    else if (before.get(platform) !== digest) net.add('content')
  }
  for (const platform of before.keys()) if (!after.has(platform)) net.add('platform-removed')
  const isDeep = net.has('content') || net.has('platform-added') || net.has('platform-removed')
  const shallow: readonly HistoryChange[] = ['attestation-only', 'config-only', 'rebuild']
  if (!isDeep) for (const change of changes) if (shallow.includes(change)) net.add(change)
  return [...net]
}
