import type { Digest } from '../core/digest.js'
import type { Host } from '../core/host.js'
import { limits } from '../core/limits.js'
import { Pace } from '../plan/pace.js'
import { nextSlotMs } from '../plan/phase.js'
import type { LaneLease, StateChange, WatchedTag } from '../store/store.js'
import type { TrackedTag } from './check-tag.js'
import { DueQueue } from './due-queue.js'
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

/** `taken`: a look follows; `joined`: one that has not begun follows anyway; `full`: dropped, the tag's slot will tell. */
export type LaneHint = 'taken' | 'joined' | 'full'

/** When a tag is looked at next: at its slot, sooner after a miss, later where it makes up for an absence. */
interface WaitingSlot {
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

/** docker-registry 2.8 and 3 tell of a push some milliseconds before they move the tag. */
const repeatMs = 400

/**
 * The tags of one leased lane, in memory: what is due when, what is being looked at. A due time is arithmetic on a hash of the
 * reference, so nothing about it is stored but the interval.
 */
export class WatchedLane {
  readonly lease: LaneLease
  readonly host: Host
  readonly tags = new Map<number, ScheduledTag>()
  /** Turned states that are not written yet. */
  turned: StateChange[] = []
  readonly #lists = new Map<string, ListedRepository>()
  readonly #slots = new DueQueue<WaitingSlot>()
  readonly #hints = new DueQueue<WaitingHint>()
  /** Tags that a list said something new of, or nothing; their looks are under way. */
  readonly #proofs: ScheduledTag[] = []
  readonly #dueLists: DueList[] = []
  #running = 0
  #pace: Pace | null = null
  #perHour: number | null = null

  /** A pause that the registry asked of whoever held the lane before, in milliseconds since the epoch: a restart does not undercut it. */
  readonly heldUntil: number

  constructor(lease: LaneLease, host: Host, heldUntil: number) {
    this.lease = lease
    this.host = host
    this.heldUntil = heldUntil
  }

  /** When the next look falls due; null when there is none. */
  nextAt(now: number): number | null {
    const slotAt = this.#slots.nextAt ?? Number.POSITIVE_INFINITY
    const hintAt = this.#hints.nextAt ?? Number.POSITIVE_INFINITY
    const isWaiting = this.#proofs.length > 0 || this.#dueLists.length > 0
    const dueAt = isWaiting ? now : Math.min(slotAt, hintAt)
    if (dueAt === Number.POSITIVE_INFINITY) return null
    return this.#pace === null ? dueAt : Math.max(dueAt, this.#pace.nextAt(now))
  }

  /** Looks that are under way. */
  get running(): number {
    return this.#running
  }

  /** All slots up to here are done, or their tag's row says what is wrong. */
  watermarkAt(now: number): number {
    let oldest = now
    for (const tag of this.tags.values()) if (tag.slotAt <= oldest) oldest = tag.slotAt - 1
    return oldest
  }

  /** Looks and lists together are no more than this from now on, whatever falls due; null: as they fall due. */
  limit(perHour: number | null): void {
    if (perHour === this.#perHour) return
    this.#perHour = perHour
    this.#pace = perHour === null ? null : new Pace(perHour)
  }

  /** Takes up what the store says is watched; what it does not name is gone. */
  update(watches: readonly WatchedTag[], defaultEveryMs: number, now: number): void {
    const left = new Set(this.tags.keys())
    for (const watch of watches) {
      left.delete(watch.tagId)
      const known = this.tags.get(watch.tagId)
      if (known === undefined) this.#add(watch, defaultEveryMs, now)
      else {
        known.analyze = watch.analyze
        known.givenMs = watch.everyMs
        this.reschedule(known, tagEveryMs(watch, defaultEveryMs), watch.isListed, now)
      }
    }
    for (const tagId of left) {
      const tag = this.tags.get(tagId)
      if (tag !== undefined) tag.isGone = true
      this.tags.delete(tagId)
    }
  }

  /** Changes how often a tag is looked at, and whether by a list; it never waits longer than the new interval since its last look. */
  reschedule(tag: ScheduledTag, everyMs: number, isListed: boolean, now: number): void {
    if (tag.everyMs === everyMs && (tag.list !== null) === isListed) return
    tag.everyMs = everyMs
    tag.list = isListed ? this.#listOf(tag.reference.path) : null
    tag.phase = tagPhaseMs({ reference: tag.reference, isListed }, everyMs)
    tag.slotAt = tag.lookedAt === null ? now : nextSlotMs(tag.phase, everyMs, tag.lookedAt)
    if (!tag.isRunning || tag.slot !== null) this.#await(tag, dueAtOf(tag, now))
  }

  /**
   * Asks for a look at a tag soon: at once, or after the one that is under way, but never sooner than
   * {@link limits.hintDistanceMs} after the last that was asked for. Undefined for a tag that is not here.
   */
  hint(tagId: number, now: number): LaneHint | undefined {
    const tag = this.tags.get(tagId)
    if (tag === undefined) return undefined
    tag.isEarly = true
    if (tag.isHinted) return 'joined'
    if (this.#hints.size >= limits.waitingHints) return 'full'
    tag.isHinted = true
    if (!tag.isRunning) this.#wait(tag, hintDueAt(tag, now), false)
    return 'taken'
  }

  /** Looks at a tag once beside its slots, unless a look is under way or asked for. */
  lookSoon(tag: ScheduledTag, dueAt: number): void {
    if (!tag.isGone && !tag.isRunning && !tag.isHinted && this.#hints.size < limits.waitingHints)
      this.#wait(tag, dueAt, true)
  }

  /** Takes the next tag or list that is due, tags that hints are about first; undefined when there is none. */
  take(now: number): ScheduledTag | DueList | undefined {
    if (this.#pace !== null && this.#pace.nextAt(now) > now) return undefined
    const next = this.#takeProof() ?? this.#takeTag(now) ?? this.#takeList()
    if (next === undefined) return undefined
    this.#running++
    this.#pace?.spend(now)
    return next
  }

  /**
   * Puts a tag back after its look.
   * @param soonMs look again that soon, before the next slot
   * @param isSame whether it was found to be as it was
   */
  done(tag: ScheduledTag, now: number, soonMs: number | null, isSame = false): void {
    this.#running--
    this.#finish(tag, now, soonMs, isSame)
  }

  /** Ends a list. @param proofs tags of it that are to be looked at one by one; all others are as they were */
  listed(due: DueList, proofs: ReadonlySet<ScheduledTag>, now: number): void {
    this.#running--
    for (const tag of due.tags) {
      if (proofs.has(tag)) this.#proofs.push(tag)
      else {
        tag.lastKnownAt = now
        this.#finish(tag, now, null, true)
      }
    }
  }

  #add(watch: WatchedTag, defaultEveryMs: number, now: number): void {
    const lookedAt = lastLookAt(watch, defaultEveryMs)
    const everyMs = tagEveryMs(watch, defaultEveryMs)
    const phase = tagPhaseMs(watch, everyMs)
    const tag: ScheduledTag = {
      ...track(watch, lookedAt),
      ...{ givenMs: watch.everyMs, everyMs, analyze: watch.analyze, phase, lookedAt },
      list: watch.isListed ? this.#listOf(watch.reference.path) : null,
      ...{ planned: null, isUndated: false, contradicted: null },
      slotAt: lookedAt === null ? now : nextSlotMs(phase, everyMs, lookedAt),
      ...{ isGone: false, isRunning: false, slot: null, isHinted: false, waiting: null },
      ...{ isEarly: false, isRepeat: false, hintedAt: 0 },
    }
    this.tags.set(watch.tagId, tag)
    this.#await(tag, dueAtOf(tag, now))
  }

  #listOf(path: string): ListedRepository {
    const known = this.#lists.get(path) ?? { path, due: null }
    this.#lists.set(path, known)
    return known
  }

  #takeProof(): ScheduledTag | undefined {
    for (;;) {
      const tag = this.#proofs.shift()
      if (tag === undefined) return undefined
      tag.isRepeat = false
      if (!tag.isGone) return tag
    }
  }

  #takeTag(now: number): ScheduledTag | undefined {
    for (;;) {
      const hint = this.#hints.pop(now)
      const slot = hint === undefined ? this.#slots.pop(now) : undefined
      const tag = hint?.tag ?? slot?.tag
      if (tag === undefined) return undefined
      if (slot !== undefined) {
        if (tag.slot !== slot) continue
        tag.slot = null
      }
      if (tag.isGone || tag.isRunning || (hint !== undefined && tag.waiting !== hint)) continue
      tag.isRunning = true
      // A list is no proof: what is not known, or somebody says has moved, is asked for.
      if (slot !== undefined && tag.list !== null && tag.state === 'present' && !tag.isHinted) {
        this.#collect(tag, tag.list)
        continue
      }
      tag.isRepeat = hint?.isRepeat ?? false
      if (hint !== undefined && !tag.isRepeat) tag.hintedAt = now
      tag.isHinted = false
      tag.waiting = null
      return tag
    }
  }

  #collect(tag: ScheduledTag, list: ListedRepository): void {
    if (list.due === null) {
      list.due = { list, tags: [] }
      this.#dueLists.push(list.due)
    }
    list.due.tags.push(tag)
  }

  #takeList(): DueList | undefined {
    const due = this.#dueLists.shift()
    if (due !== undefined) due.list.due = null
    return due
  }

  #finish(tag: ScheduledTag, now: number, soonMs: number | null, isSame: boolean): void {
    tag.isRunning = false
    tag.lookedAt = now
    if (tag.isGone) return
    if (tag.isHinted) this.#wait(tag, hintDueAt(tag, now), false)
    else if (tag.isEarly && isSame) {
      const dueAt = Math.max(now + repeatMs, tag.isRepeat ? hintDueAt(tag, now) : now)
      tag.isEarly = false
      this.#wait(tag, dueAt, !tag.isRepeat)
    } else tag.isEarly = false
    if (tag.slot === null) {
      tag.slotAt = nextSlotMs(tag.phase, tag.everyMs, now)
      this.#await(tag, soonMs === null ? tag.slotAt : Math.min(tag.slotAt, now + soonMs))
    } else if (soonMs !== null && !tag.isHinted) this.#wait(tag, now + soonMs, true)
  }

  /** One place in the queue for each tag: an older one is passed over. */
  #await(tag: ScheduledTag, dueAt: number): void {
    const slot = { dueAt, tag }
    tag.slot = slot
    this.#slots.push(slot)
  }

  #wait(tag: ScheduledTag, dueAt: number, isRepeat: boolean): void {
    const hint = { tag, dueAt, isRepeat }
    tag.isHinted = true
    tag.waiting = hint
    this.#hints.push(hint)
  }
}

function hintDueAt(tag: ScheduledTag, now: number): number {
  return Math.max(now, tag.hintedAt + limits.hintDistanceMs)
}

/** What an absence missed is looked at soon, but not all at once: a restart must not look like an attack. */
const makeUpMs = 10_000

function dueAtOf({ lookedAt, slotAt, phase, everyMs }: ScheduledTag, now: number): number {
  if (lookedAt === null || slotAt > now) return slotAt
  return now + Math.floor((phase / everyMs) * Math.min(everyMs, makeUpMs))
}

function track(watch: WatchedTag, lookedAt: number | null): TrackedTag {
  const isKnown = watch.state === 'present' || watch.state === 'absent'
  return {
    tagId: watch.tagId,
    reference: watch.reference,
    state: watch.state,
    reason: watch.reason,
    digest: watch.digest,
    lastKnownAt: isKnown ? lookedAt : null,
    misses: 0,
    vanishes: 0,
    listed: null,
    settling: null,
  }
}
