import type { Host } from '../core/host.js'
import { formatReference } from '../core/reference.js'
import { nextSlotMs, phaseMs } from '../plan/phase.js'
import type { LaneLease, StateChange, WatchedTag } from '../store/store.js'
import type { TrackedTag } from './check-tag.js'
import { DueQueue } from './due-queue.js'
import { lastLookAt } from './wire.js'

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
}

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
    return this.#queue.nextAt
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
      const scheduled = Object.assign(tag, { everyMs, analyze: watch.analyze, phase, slotAt, dueAt, isGone: false })
      this.tags.set(watch.tagId, scheduled)
      this.#queue.push(scheduled)
    }
    for (const tagId of left) {
      const tag = this.tags.get(tagId)
      if (tag !== undefined) tag.isGone = true
      this.tags.delete(tagId)
    }
  }

  /** Takes the next tag that is due; undefined when there is none. */
  take(now: number): ScheduledTag | undefined {
    for (;;) {
      const tag = this.#queue.pop(now)
      if (tag === undefined) return undefined
      if (tag.isGone) continue
      this.#running++
      return tag
    }
  }

  /**
   * Puts a tag back after its look.
   * @param soonMs look again that soon, before the next slot
   */
  done(tag: ScheduledTag, now: number, soonMs: number | null): void {
    this.#running--
    if (tag.isGone) return
    tag.slotAt = nextSlotMs(tag.phase, tag.everyMs, now)
    tag.dueAt = soonMs === null ? tag.slotAt : Math.min(tag.slotAt, now + soonMs)
    this.#queue.push(tag)
  }
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
