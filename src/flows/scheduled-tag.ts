import type { Digest } from '../core/digest.js'
import { slotAfterLookMs } from '../plan/phase.js'
import type { WatchedTag } from '../store/store.js'
import type { TrackedTag } from './check-tag.js'
import { lastLookAt, tagEveryMs, tagPhaseMs } from './tag-times.js'

/** A tag of a lane with its time. */
export interface ScheduledTag extends TrackedTag {
  /** What the user gave; null: nobody says. */
  givenMs: number | null
  everyMs: number
  /** null: the server's default. */
  analyze: boolean | null
  phase: number
  /** The repository, where one list tells of all its tags; null where each is asked for. */
  list: ListedRepository | null
  /** Its place in the plan of the lane, and what was given for it there; null while it has none of its own. */
  planned: { readonly place: number; readonly givenMs: number | null } | null
  /** What the store knows of the plan: the interval, and whether the tag is known by a list. */
  writtenMs: number | null
  isListWritten: boolean
  /** It was seen for the first time here, and no list has said yet when it was pushed. */
  isUndated: boolean
  /** What a list says against what a HEAD found; null where they agree. */
  contradicted: Digest | null
  /** The last look of this process, or that of another as far as is known; null when there was none. */
  lookedAt: number | null
  /** The slot that the next look stands for: all before it are done. */
  slotAt: number
  /** The tag is no longer watched: what is in the queue of it is passed over. */
  isGone: boolean
  /** A look is under way: there are never two of one tag. */
  isRunning: boolean
  /** Its slot in the queue; null while it has none, because a look is under way. */
  slot: WaitingSlot | null
  /** A hint waits for a look; more of them add nothing. */
  isHinted: boolean
  /** Its place in the queue of hints; null when there is none, or a look has begun since. */
  waiting: WaitingHint | null
  /** A hint may have come before the registry had moved the tag: a look that finds nothing new is repeated once. */
  isEarly: boolean
  /** The look under way is such a repetition. */
  isRepeat: boolean
  /** When the last look that a hint asked for began; 0 when there was none. */
  hintedAt: number
}

/** When a tag is looked at next: at its slot, sooner after a miss, later where it makes up for an absence. */
export interface WaitingSlot {
  dueAt: number
  readonly tag: ScheduledTag
}

/** A hint that waits. It is passed over where a look has begun since it came. */
export interface WaitingHint {
  readonly dueAt: number
  readonly tag: ScheduledTag
  readonly isRepeat: boolean
}

/** A repository of which one list tells what all its tags point at. */
export interface ListedRepository {
  readonly path: string
  /** Tags that have fallen due for the next list; null while none has. */
  due: DueList | null
}

/** A list that is to be asked for, with the tags that it is to tell of. */
export interface DueList {
  readonly list: ListedRepository
  readonly tags: ScheduledTag[]
}

/**
 * A watched tag with its first slot: at once, where it was never looked at. One literal, without spreads: V8 gives an object that is
 * put together of others four times the memory, and there may be 100,000.
 */
export function scheduleTag(
  watch: WatchedTag,
  list: ListedRepository | null,
  defaultEveryMs: number,
  now: number,
): ScheduledTag {
  const lookedAt = lastLookAt(watch, defaultEveryMs)
  const everyMs = tagEveryMs(watch, defaultEveryMs)
  const phase = tagPhaseMs(watch, everyMs)
  const isKnown = watch.state === 'present' || watch.state === 'absent'
  return {
    tagId: watch.tagId,
    reference: watch.reference,
    state: watch.state,
    reason: watch.reason,
    digest: watch.digest,
    // Slots of a listed tag are lists: only what its row says was a look of its own.
    lastKnownAt: !isKnown ? null : watch.isListed ? watch.checkedAt : lookedAt,
    claimedAt: isKnown && watch.isListed ? lookedAt : null,
    misses: 0,
    vanishes: 0,
    listed: null,
    settling: null,
    givenMs: watch.everyMs,
    everyMs,
    analyze: watch.analyze,
    phase,
    lookedAt,
    list,
    planned: null,
    writtenMs: watch.plannedMs,
    isListWritten: watch.isListed,
    isUndated: false,
    contradicted: null,
    slotAt: slotAfterLookMs(phase, everyMs, lookedAt, now),
    isGone: false,
    isRunning: false,
    slot: null,
    isHinted: false,
    waiting: null,
    isEarly: false,
    isRepeat: false,
    hintedAt: 0,
  }
}

/** What an absence missed is looked at soon, but not all at once: a restart must not look like an attack. */
const makeUpMs = 10_000

/** When a tag is looked at next: at its slot, or soon where that has passed. */
export function dueAtOf({ lookedAt, slotAt, phase, everyMs }: ScheduledTag, now: number): number {
  if (lookedAt === null || slotAt > now) return slotAt
  return now + Math.floor((phase / everyMs) * Math.min(everyMs, makeUpMs))
}
