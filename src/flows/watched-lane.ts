import type { Host } from '../core/host.js'
import { limits } from '../core/limits.js'
import { formatReference } from '../core/reference.js'
import { nextSlotMs, phaseMs } from '../plan/phase.js'
import type { LaneLease, StateChange, WatchedTag } from '../store/store.js'
import type { TrackedTag } from './check-tag.js'
import { DueQueue } from './due-queue.js'
import { lastLookAt, tagEveryMs, tagPhaseMs } from './tag-times.js'

/** A tag of a lane with its time. */
export interface ScheduledTag extends TrackedTag {
  everyMs: number
  /** null: the server's default. */
  analyze: boolean | null
  phase: number
  /** The slot that the next look stands for: all before it are done. */
  slotAt: number
  /** When it is looked at next: at its slot, sooner after a miss, later where it makes up for an absence. */
  dueAt: number
  /** The tag is no longer watched: what is in the queue of it is passed over. */
  isGone: boolean
  /** A look is under way: there are never two of one tag. */
  isRunning: boolean
  /** Its slot waits in the queue, where a look that a hint asked for leaves it. */
  isQueued: boolean
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

/** A hint that waits. It is passed over where a look has begun since it came. */
export interface WaitingHint {
  readonly dueAt: number
  readonly tag: ScheduledTag
  readonly isRepeat: boolean
}

/** docker-registry 2.8 and 3 tell of a push some milliseconds before they move the tag. */
const repeatMs = 400

/**
 * The tags of one leased lane, in memory: what is due when, what is being looked at. A due time is arithmetic on a hash of the
 * reference, so nothing about it is stored.
 */
export class WatchedLane {
  readonly lease: LaneLease
  readonly host: Host
  readonly tags = new Map<number, ScheduledTag>()
  /** Turned states that are not written yet. */
  turned: StateChange[] = []
  readonly #queue = new DueQueue<ScheduledTag>()
  readonly #hints = new DueQueue<WaitingHint>()
  #running = 0

  /** A pause that the registry asked of whoever held the lane before, in milliseconds since the epoch: a restart does not undercut it. */
  readonly heldUntil: number

  constructor(lease: LaneLease, host: Host, heldUntil: number) {
    this.lease = lease
    this.host = host
    this.heldUntil = heldUntil
  }

  /** When the next tag falls due; null when there is none. */
  get nextAt(): number | null {
    const slotAt = this.#queue.nextAt
    const hintAt = this.#hints.nextAt
    return slotAt === null || hintAt === null ? (slotAt ?? hintAt) : Math.min(slotAt, hintAt)
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

  /** Takes up what the store says is watched; what it does not name is gone. */
  update(watches: readonly WatchedTag[], defaultEveryMs: number, now: number): void {
    const left = new Set(this.tags.keys())
    for (const watch of watches) {
      left.delete(watch.tagId)
      const everyMs = watch.everyMs ?? defaultEveryMs
      const known = this.tags.get(watch.tagId)
      if (known !== undefined) known.analyze = watch.analyze
      if (known !== undefined && known.everyMs === everyMs) continue
      if (known !== undefined) known.isGone = true
      const phase = phaseMs(formatReference(watch.reference), everyMs)
      const lookedAt = known === undefined ? lastLookAt(watch, defaultEveryMs) : now
      const slotAt = lookedAt === null ? now : nextSlotMs(phase, everyMs, lookedAt)
      const tag = known === undefined ? track(watch, lookedAt) : { ...known }
      const dueAt = lookedAt !== null && slotAt <= now ? makeUpAt(phase, everyMs, now) : slotAt
      const times = { everyMs, analyze: watch.analyze, phase, slotAt, dueAt, hintedAt: known?.hintedAt ?? 0 }
      const marks = {
        isGone: false,
        isRunning: false,
        isQueued: true,
        isHinted: false,
        isEarly: false,
        isRepeat: false,
        waiting: null,
      }
      const scheduled = Object.assign(tag, times, marks)
      this.tags.set(watch.tagId, scheduled)
      this.#queue.push(scheduled)
      if (known?.isHinted) this.hint(watch.tagId, now)
    }
    for (const tagId of left) {
      const tag = this.tags.get(tagId)
      if (tag !== undefined) tag.isGone = true
      this.tags.delete(tagId)
    }
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

  /** Takes the next tag that is due, those that hints are about first; undefined when there is none. */
  take(now: number): ScheduledTag | undefined {
    for (;;) {
      const hint = this.#hints.pop(now)
      const tag = hint?.tag ?? this.#queue.pop(now)
      if (tag === undefined) return undefined
      if (hint === undefined) tag.isQueued = false
      if (tag.isGone || tag.isRunning || (hint !== undefined && tag.waiting !== hint)) continue
      tag.isRepeat = hint?.isRepeat ?? false
      if (hint !== undefined && !tag.isRepeat) tag.hintedAt = now
      tag.isHinted = false
      tag.waiting = null
      tag.isRunning = true
      this.#running++
      return tag
    }
  }

  /**
   * Puts a tag back after its look.
   * @param soonMs look again that soon, before the next slot
   * @param isSame whether it was found to be as it was
   */
  done(tag: ScheduledTag, now: number, soonMs: number | null, isSame = false): void {
    this.#running--
    tag.isRunning = false
    if (tag.isGone) return
    if (tag.isHinted) this.#wait(tag, hintDueAt(tag, now), false)
    else if (tag.isEarly && isSame) {
      const dueAt = Math.max(now + repeatMs, tag.isRepeat ? hintDueAt(tag, now) : now)
      tag.isEarly = false
      this.#wait(tag, dueAt, !tag.isRepeat)
    } else tag.isEarly = false
    if (!tag.isQueued) {
      tag.slotAt = nextSlotMs(tag.phase, tag.everyMs, now)
      tag.dueAt = soonMs === null ? tag.slotAt : Math.min(tag.slotAt, now + soonMs)
      tag.isQueued = true
      this.#queue.push(tag)
    } else if (soonMs !== null && !tag.isHinted) this.#wait(tag, now + soonMs, true)
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

function makeUpAt(phase: number, everyMs: number, now: number): number {
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
  }
}
