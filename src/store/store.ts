import type { Digest } from '../core/digest.js'
import type { HistoryChange, HistoryClaim, HistoryEntry, HistoryGap } from '../core/history.js'
import type { Host } from '../core/host.js'
import type { Descriptor } from '../core/manifest.js'
import type { UnknownReason } from '../core/observation.js'
import type { Repository, TagReference } from '../core/reference.js'
import type { AnalysisStore } from './analyses.js'
import type { EventStore, StoredEvent } from './event-store.js'
import type { EvidenceStore } from './evidence.js'
import type { HintStore } from './hints.js'
import type { IamStores } from './iam.js'
import type { PlanStore } from './plans.js'
import type { TagStore } from './tag-store.js'

/** Everything that Tidemark remembers, on SQLite or PostgreSQL. All times in milliseconds since the epoch, UTC. */
export interface Store extends IamStores {
  readonly watches: WatchStore
  readonly lanes: LaneStore
  readonly tags: TagStore
  readonly history: HistoryStore
  readonly manifests: ManifestStore
  readonly events: EventStore
  readonly deliveries: DeliveryStore
  readonly hosts: HostStore
  readonly hints: HintStore
  readonly plans: PlanStore
  readonly analyses: AnalysisStore
  readonly evidence: EvidenceStore
  /** Answers when the database can be read and written. @throws Fault `store-unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Who declared a watch: a command or a call, the configuration, or a rule that follows a repository's tags. */
export type WatchOrigin = 'command' | 'config' | 'rule'

/** `unseen`: not looked at yet. `absent` with reason `not-found`; `unknown` with the reason why it could not be asked. */
export type TagState = 'unseen' | 'present' | 'absent' | 'unknown'

/** Why a tag is `absent` or `unknown`. */
export type TagReason = UnknownReason | 'not-found'

/** A watched tag with what is known of it: what a lane's holder keeps in memory, and what `watch list` shows. */
export interface WatchedTag {
  readonly tagId: number
  readonly laneId: number
  readonly reference: TagReference
  /** null: the server's default. */
  readonly everyMs: number | null
  /** How often it is looked at, by the plan of its lane; null: there is no plan yet. */
  readonly plannedMs: number | null
  /** Whether one list tells of all tags of its repository, so that they are looked at together. */
  readonly isListed: boolean
  /** Whether the images that it points at are analyzed as they come; null: the server's default. */
  readonly analyze: boolean | null
  readonly origin: WatchOrigin
  readonly state: TagState
  readonly reason: TagReason | null
  readonly stateSince: number
  /** What the newest history entry points at; null where there is none, or it is a removal. */
  readonly digest: Digest | null
  /** When its history says that it last moved; null where there is none. */
  readonly movedAt: number | null
  /** The last look that wrote something. Later looks that found the same are behind the lane's watermark. */
  readonly checkedAt: number | null
  /** The lane's watermark: all slots up to here are done, or their tag's row says what is wrong. */
  readonly watermarkAt: number
}

/** A repository whose tags are followed as they come. */
export interface WatchRule {
  readonly id: number
  readonly laneId: number
  readonly repository: Repository
  readonly tags: readonly string[]
  readonly exclude: readonly string[]
  readonly everyMs: number | null
  readonly analyze: boolean | null
  readonly maxTags: number
  readonly origin: 'command' | 'config'
}

/** What is said of a watch when it is declared. */
export interface WatchOptions {
  /** null: the server's default. */
  readonly everyMs: number | null
  /** null, and when left out: the server's default. */
  readonly analyze?: boolean | null
  readonly origin: WatchOrigin
}

/** See {@link Store}. */
export interface WatchStore {
  /** Watches a tag in the organization `default`; one that is watched gets the options and, unless it comes from a rule, the origin. */
  add(reference: TagReference, options: WatchOptions): Promise<{ added: boolean }>
  /** Ends a watch; its history stays. */
  remove(reference: TagReference): Promise<{ removed: boolean }>
  /** All watches, by reference. */
  list(): Promise<readonly WatchedTag[]>
  find(reference: TagReference): Promise<WatchedTag | null>
  /** Follows a repository; one rule for each repository and origin, replaced when it is there. */
  addRule(rule: Omit<WatchRule, 'id' | 'laneId'>): Promise<{ added: boolean }>
  removeRule(repository: Repository, origin: 'command' | 'config'): Promise<{ removed: boolean }>
  listRules(): Promise<readonly WatchRule[]>
  /** A number that grows with every change of a watch or rule, by any process. */
  version(): Promise<number>
}

/** A leased lane: every write of what was learned there carries it, and is refused once another process took the lane. */
export interface LaneLease {
  readonly laneId: number
  readonly epoch: number
}

/** A lane as its holder gets it. */
export interface LeasedLane extends LaneLease {
  readonly host: Host
  readonly watermarkAt: number
  readonly pausedUntil: number | null
}

/** See {@link Store}. */
export interface LaneStore {
  /**
   * Takes every lane that has watches or rules and that nobody holds (or whose lease ran out), until `now + leaseMs`; gives
   * those that it took. Where a lane had been watched before, the span from its watermark to `now` is kept as a gap of the lane
   * with reason `not-running`: {@link HistoryStore.gaps} shows it to the tags whose interval is shorter.
   */
  lease(
    owner: string,
    options: {
      now: number
      leaseMs: number
      /** Whether the process that holds a lease is known to be gone, so that its lease need not be waited out. */
      isGone?(owner: string): boolean
    },
  ): Promise<readonly LeasedLane[]>
  /** One transaction: moves `lease_until` and the watermark (and the pause) of all lanes that `owner` holds; gives the ids of those that it still holds. */
  renew(
    owner: string,
    options: {
      now: number
      leaseMs: number
      lanes: readonly { laneId: number; watermarkAt: number; pausedUntil: number | null }[]
    },
  ): Promise<readonly number[]>
  /**
   * Keeps [`from`, `to`) as a gap, with reason `not-running`, of the lanes of `owner` among `laneIds`: its holder was suspended,
   * or starved, and looked at nothing.
   */
  recordAbsence(owner: string, laneIds: readonly number[], span: { from: number; to: number }): Promise<void>
  /** Gives all lanes of `owner` back, with their watermarks and pauses. */
  release(
    owner: string,
    lanes: readonly { laneId: number; watermarkAt: number; pausedUntil?: number | null }[],
  ): Promise<void>
}

/** The bytes of a manifest with what is indexed of it. */
export interface ManifestRecord {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly artifactType?: string
  readonly subject?: Digest
  readonly configDigest?: Digest
  /** Of an index; empty else. Children are remembered by name and size; their bytes only once they were fetched. */
  readonly children: readonly Descriptor[]
}

/** A move that was seen: to a manifest, or to nothing. */
export interface Move {
  readonly tagId: number
  readonly seenAt: number
  /** When the look began that saw it: its answer may be as old as that. `seenAt` when left out. */
  readonly lookedAt?: number
  readonly notBefore: number | null
  readonly pushedAt: number | null
  /** null: the tag was removed. */
  readonly manifest: ManifestRecord | null
  readonly changes: readonly HistoryChange[]
  /**
   * Until when the event waits, because more of the same move is expected; null, and when left out: it is told now, and with it
   * what waited.
   */
  readonly settlesAt?: number | null
}

/** What a tag's state became. */
export interface StateChange {
  readonly tagId: number
  readonly state: 'present' | 'absent' | 'unknown'
  readonly reason: TagReason | null
  readonly at: number
  /** When the look began that told it; `at` when left out. */
  readonly lookedAt?: number
  /** The last time when the tag could be asked: where a gap begins when the state turns `unknown`. */
  readonly lastKnownAt: number | null
}

/** A page of history, as the API asks for it. */
export interface HistoryRange {
  /** Inclusive. */
  readonly start?: number
  /** Exclusive. */
  readonly end?: number
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** Where the page before ended. */
  readonly after?: HistoryCursor
  /** Whether entries that point at nothing are left out, before they are counted. */
  readonly withoutRemovals?: boolean
}

/** The key of an entry within one tag. */
export interface HistoryCursor {
  readonly at: number
  /** Tells entries of one moment apart. */
  readonly id: number
}

/** See {@link Store}. */
export interface HistoryStore {
  /** Entries of a tag in `order`; `next` where more follow. Null for a tag that was never watched. */
  page(
    reference: TagReference,
    range: HistoryRange,
  ): Promise<{ entries: readonly HistoryEntry[]; next: HistoryCursor | null } | null>
  /**
   * Gaps of the tag, and of its lane since the tag is watched, that touch [start, end), oldest first. What befell the lane for
   * no longer than the tag's interval is left out: between two looks nobody looks anyway.
   * @param defaultEveryMs the interval of a tag that has none of its own
   */
  gaps(
    reference: TagReference,
    span: { start?: number; end?: number },
    defaultEveryMs: number,
  ): Promise<readonly HistoryGap[]>
  /** The newest entry with `at` ≤ `timeMs`; null when there is none. */
  at(reference: TagReference, timeMs: number): Promise<HistoryEntry | null>
  /** The entry `steps` before the newest one (0: the newest itself); null when there is none. */
  back(reference: TagReference, steps: number): Promise<HistoryEntry | null>
  /** Merges claims (see `mergeClaims`) in one transaction; the tag is made known, not watched. */
  merge(
    reference: TagReference,
    claims: readonly HistoryClaim[],
    source: 'import' | 'reported',
  ): Promise<{ inserted: number; dated: number }>
}

/** See {@link Store}. */
export interface ManifestStore {
  /** The bytes and media type of a manifest; null when only its name, or nothing, is known. */
  get(digest: Digest): Promise<{ mediaType: string; bytes: Uint8Array } | null>
  /** Keeps a manifest that was fetched, whether a watched tag points at it or not. */
  put(record: ManifestRecord): Promise<void>
  /**
   * Whether a manifest is known to come from `repository`: a tag of it was seen to point there, or to an index that lists it
   * while nothing of another repository does. Bytes are kept once for all repositories, so that having them proves nothing:
   * an index may list what its author cannot read, and a history that was brought along may say anything.
   */
  isFrom(repository: Repository, digest: Digest): Promise<boolean>
  /** The repositories that a manifest is known to come from, as {@link ManifestStore.isFrom} knows it. */
  sources(digest: Digest): Promise<readonly Repository[]>
}

/** `due`: to be sent; `sent`: taken; `dead`: given up. */
export type DeliveryState = 'due' | 'sent' | 'dead'

/** An event on its way to a channel. */
export interface DeliveryRecord {
  readonly id: number
  readonly channel: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly nextAt: number | null
  readonly fault: string | null
  readonly event: StoredEvent
}

/** A delivery that this process has leased. */
export interface LeasedDelivery extends DeliveryRecord {
  readonly epoch: number
}

/** See {@link Store}. */
export interface DeliveryStore {
  /** Makes the channels be `names`: new ones begin after the newest event, others keep their cursor, those that are gone are paused. */
  setChannels(kind: string, names: readonly string[]): Promise<void>
  /**
   * For each channel of `names`: the events after its cursor (at most 500) that `wants` takes become due deliveries, and the cursor moves, in
   * one transaction. Gives how many deliveries came to be.
   */
  fanOut(
    names: readonly string[],
    wants: (channel: string, event: StoredEvent) => boolean,
    now: number,
  ): Promise<number>
  /** Takes due deliveries of `names` until `now + leaseMs`. */
  lease(
    names: readonly string[],
    options: { now: number; leaseMs: number; limit: number },
  ): Promise<readonly LeasedDelivery[]>
  /** Ends one attempt; false when the lease was lost meanwhile. */
  finish(
    delivery: Pick<LeasedDelivery, 'id' | 'epoch'>,
    outcome:
      | { readonly state: 'sent'; readonly at: number }
      | { readonly state: 'due'; readonly nextAt: number; readonly fault: string }
      | { readonly state: 'dead'; readonly at: number; readonly fault: string },
  ): Promise<boolean>
  /** When the next delivery of `names` falls due; null when there is none. */
  nextDue(names: readonly string[]): Promise<number | null>
  /** Newest first. */
  list(filter: {
    state?: DeliveryState
    channel?: string
    limit: number
    /** Only ids below this. */
    before?: number
  }): Promise<readonly DeliveryRecord[]>
  /** Makes dead (or, by id, any) deliveries due again at `now`. */
  replay(which: { ids?: readonly number[]; channel?: string }, now: number): Promise<number>
}

/** What was learned about a host, as JSON that the registry part reads. */
export interface HostStore {
  load(): Promise<readonly { host: Host; profile: unknown }[]>
  save(host: Host, profile: unknown): Promise<void>
}
