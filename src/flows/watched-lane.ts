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
  phase: number
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
  /** Due, and not done. */
  readonly #outstanding = new Set<ScheduledTag>()
  #running = 0

  constructor(lease: LaneLease, host: Host) {
    this.lease = lease
    this.host = host
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
    for (const tag of this.#outstanding) if (tag.dueAt <= oldest) oldest = tag.dueAt - 1
    const waiting = this.#queue.nextAt
    return waiting !== null && waiting <= oldest ? waiting - 1 : oldest
  }

  /** Takes up what the store says is watched; what it does not name is gone. */
  update(watches: readonly WatchedTag[], defaultEveryMs: number, now: number): void {
    const left = new Set(this.tags.keys())
    for (const watch of watches) {
      left.delete(watch.tagId)
      const everyMs = watch.everyMs ?? defaultEveryMs
      const known = this.tags.get(watch.tagId)
      if (known !== undefined && known.everyMs === everyMs) continue
      if (known !== undefined) known.isGone = true
      const phase = phaseMs(formatReference(watch.reference), everyMs)
      const dueAt = watch.state === 'unseen' ? now : nextSlotMs(phase, everyMs, now)
      const tag = known === undefined ? track(watch, defaultEveryMs) : { ...known, isGone: false }
      const scheduled = Object.assign(tag, { everyMs, phase, dueAt, isGone: false })
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
      this.#outstanding.add(tag)
      return tag
    }
  }

  /**
   * Puts a tag back after its look.
   * @param soonMs look again that soon, before the next slot
   */
  done(tag: ScheduledTag, now: number, soonMs: number | null): void {
    this.#running--
    this.#outstanding.delete(tag)
    if (tag.isGone) return
    const slot = nextSlotMs(tag.phase, tag.everyMs, now)
    tag.dueAt = soonMs === null ? slot : Math.min(slot, now + soonMs)
    this.#queue.push(tag)
  }
}

function track(watch: WatchedTag, defaultEveryMs: number): TrackedTag {
  const isKnown = watch.state === 'present' || watch.state === 'absent'
  return {
    tagId: watch.tagId,
    reference: watch.reference,
    state: watch.state,
    reason: watch.reason,
    digest: watch.digest,
    lastKnownAt: isKnown ? lastLookAt(watch, defaultEveryMs) : null,
    misses: 0,
  }
}
