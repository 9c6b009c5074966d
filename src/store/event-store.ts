import type { NewlyKnownEvent } from '../../client/src/index.js'
import type { Digest } from '../core/digest.js'
import type { HistoryEntry, HistoryKind } from '../core/history.js'
import type { TagReference } from '../core/reference.js'

/** One line of the event log. */
export type StoredEvent = StoredTagEvent | StoredImageEvent

interface StoredEventBase {
  readonly id: number
  readonly at: number
  readonly reference: TagReference
}

/** A history entry was written. */
export interface StoredTagEvent extends StoredEventBase {
  readonly type: `tag.${HistoryKind}`
  readonly entry: HistoryEntry
  readonly previousDigest: Digest | null
}

/** Newer advisory data say more of an image that a tag points at; `body` is what is shown of it. */
export interface StoredImageEvent extends StoredEventBase {
  readonly type: 'image.newly-known'
  readonly body: ImageEventBody
}

/** What an event of an image is about. */
export interface ImageEventBody {
  readonly digest: Digest
  readonly snapshotId: string
  /** The rest, as it is shown. */
  readonly shown: Pick<NewlyKnownEvent, 'platform' | 'snapshot' | 'findings' | 'count'>
}

/** See {@link Store}. */
export interface EventStore {
  /** Events with an id above `id`, oldest first. No id that is seen is ever followed by a lower one. */
  after(id: number, limit: number): Promise<readonly StoredEvent[]>
  /** The highest id; 0 when there is none. */
  latestId(): Promise<number>
  /** Tells once of an image, tag and snapshot, whoever comes first; false when it was told before. */
  tellOfImage(tagId: number, body: ImageEventBody): Promise<boolean>
}
