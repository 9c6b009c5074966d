import type { Host } from '../core/host.js'
import { limits } from '../core/limits.js'
import { Pace } from '../plan/pace.js'
import { nextSlotMs, slotAfterLookMs } from '../plan/phase.js'
import type { LaneLease, StateChange, WatchedTag } from '../store/store.js'
import { DueQueue } from './due-queue.js'
import {
  type DueList,
  dueAtOf,
  type ListedRepository,
  type ScheduledTag,
  scheduleTag,
  type WaitingHint,
  type WaitingSlot,
} from './scheduled-tag.js'
import { tagEveryMs, tagPhaseMs } from './tag-times.js'

/** `taken`: a look follows; `joined`: one that has not begun follows anyway; `full`: dropped, the tag's slot will tell. */
export type LaneHint = 'taken' | 'joined' | 'full'

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
  /** The pause that the store knows of, in milliseconds since the epoch; 0 for none. */
  storedPauseUntil: number

  constructor(lease: LaneLease, host: Host, heldUntil: number) {
    this.lease = lease
    this.host = host
    this.heldUntil = heldUntil
    this.storedPauseUntil = heldUntil
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
        known.writtenMs = watch.plannedMs
        known.isListWritten = watch.isListed
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
    tag.slotAt = slotAfterLookMs(tag.phase, everyMs, tag.lookedAt, now)
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
   * @param askedAt when the look began, for its answer may be as old as that; null: it told nothing, and no row says so
   */
  done(tag: ScheduledTag, now: number, soonMs: number | null, isSame = false, askedAt: number | null = now): void {
    this.#running--
    this.#finish(tag, now, soonMs, isSame, askedAt)
  }

  /**
   * Ends a list.
   * @param proofs tags of it that are to be looked at one by one; all others are as they were
   * @param askedAt when the list was asked for: what it says may be as old as that
   */
  listed(due: DueList, proofs: ReadonlySet<ScheduledTag>, askedAt: number, now: number): void {
    this.#running--
    for (const tag of due.tags) {
      if (proofs.has(tag)) this.#proofs.push(tag)
      else {
        tag.claimedAt = askedAt
        this.#finish(tag, now, null, true, askedAt)
      }
    }
  }

  #add(watch: WatchedTag, defaultEveryMs: number, now: number): void {
    const list = watch.isListed ? this.#listOf(watch.reference.path) : null
    const tag = scheduleTag(watch, list, defaultEveryMs, now)
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

  #finish(tag: ScheduledTag, now: number, soonMs: number | null, isSame: boolean, askedAt: number | null): void {
    tag.isRunning = false
    if (askedAt !== null) tag.lookedAt = askedAt
    if (tag.isGone) return
    if (tag.isHinted) this.#wait(tag, hintDueAt(tag, now), false)
    else if (tag.isEarly && isSame) {
      const dueAt = Math.max(now + repeatMs, tag.isRepeat ? hintDueAt(tag, now) : now)
      tag.isEarly = false
      this.#wait(tag, dueAt, !tag.isRepeat)
    } else tag.isEarly = false
    if (tag.slot === null) {
      const nextAt = nextSlotMs(tag.phase, tag.everyMs, askedAt ?? now)
      // What a look has missed is not known, and no row says so: the slot is not done, and the watermark waits for it.
      if (askedAt !== null) tag.slotAt = nextAt
      this.#await(tag, soonMs === null ? nextAt : Math.min(nextAt, now + soonMs))
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
