import type { Digest } from '../core/digest.js'
import type { HistoryEntry } from '../core/history.js'
import type { Repository, TagReference } from '../core/reference.js'
import type { LaneLease, Move, StateChange, TagState } from './store.js'

/** The name of a tag and what its history says now. */
export interface TagRecord {
  readonly tagId: number
  readonly state: TagState
  readonly digest: Digest | null
  readonly historyVersion: number
}

/** A move as it was written. */
export interface RecordedMove {
  readonly entry: HistoryEntry
  /** null: the event waits for the rest of the move. */
  readonly eventId: number | null
}

/** See `Store.tags`. */
export interface TagStore {
  find(reference: TagReference): Promise<TagRecord | null>
  /** A number that grows with every change of the tag's history; null for a tag that nobody ever named. */
  historyVersion(reference: TagReference): Promise<number | null>
  /**
   * In one transaction, fenced by the lane's epoch: content, manifest and children, history entry, tag, the end of an open gap, and last, under
   * the event lock, the event, unless it waits. Null when the tag points there already.
   * @throws Fault `lease-lost`
   */
  recordMove(lease: LaneLease, move: Move): Promise<RecordedMove | null>
  /** Tells of the moves of a lane that have waited until `now`; says how many events that gave. @throws Fault `lease-lost` */
  settle(lease: LaneLease, now: number): Promise<number>
  /** When the next move of these lanes has waited long enough; null when none waits. */
  nextSettleAt(laneIds: readonly number[]): Promise<number | null>
  /** Writes states that turned, with the gaps that open and close by it, in one transaction. @throws Fault `lease-lost` */
  recordStates(lease: LaneLease, changes: readonly StateChange[]): Promise<void>
  /** The tags that somebody watches and that point at something; of one repository where it is given. By reference. */
  watched(repository?: Repository): Promise<readonly ShownTag[]>
  /** The name of the tag whose UIDP ends with `suid`, in that repository; null for one that nobody ever named. */
  nameOf(repository: Repository, suid: Uint8Array): Promise<string | null>
}

/** A watched tag as lists show it. */
export interface ShownTag {
  readonly repository: Repository
  readonly name: string
  readonly digest: Digest
  /** When it began to point there. */
  readonly movedAt: number
}
