import type { Clock } from '../../core/clock.js'
import type { Digest } from '../../core/digest.js'

/** What a check compares with: the last digest of each reference. */
export interface DigestStore {
  /**
   * Changes that one {@link update} takes. More are given in parts, so that a store which goes away halfway leaves only the
   * rest unremembered.
   */
  readonly maxChanges: number
  /**
   * The digests that are known, by reference. What is asked for is thereby seen again: a store with a time to live keeps it.
   * @throws Fault `store-unavailable`, `store-damaged`
   */
  get(references: readonly string[]): Promise<ReadonlyMap<string, Digest>>
  /**
   * Compare-and-set for each reference, each given once: writes `to` where what is stored is still `from` (null: nothing).
   * Where another check was faster, what it wrote stays.
   * @returns the references that another check was faster with
   * @throws Fault `store-unavailable`, `store-damaged`, `disk-full`; then some may be written
   */
  update(changes: readonly DigestChange[]): Promise<ReadonlySet<string>>
  close(): Promise<void>
}

/** One step of {@link DigestStore.update}. */
export interface DigestChange {
  readonly reference: string
  readonly from: Digest | null
  readonly to: Digest
}

/** What a digest store is opened with. */
export interface DigestStoreOptions {
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A kind of digest store, by the schemes of its URL. */
export interface DigestStoreKind {
  readonly schemes: readonly string[]
  /** How its URL is written, for messages. */
  readonly example: string
  /**
   * Connects to nothing yet.
   * @throws Fault `invalid-argument`, `file-unreadable` and `invalid-config` for certificates
   */
  open(url: string, options: DigestStoreOptions): DigestStore
}
