import type { Clock } from '../../core/clock.js'
import type { Digest } from '../../core/digest.js'

/** What a check compares with: the last digest of each reference. */
export interface DigestStore {
  /**
   * The digests that are known, by reference.
   * @throws Fault `store-unavailable`, `store-damaged`
   */
  get(references: readonly string[]): Promise<ReadonlyMap<string, Digest>>
  /**
   * Compare-and-set for each reference: writes `to` where what is stored is still `from` (null: nothing). Where another
   * check was faster, what it wrote stays: it told the move, and this one told what it saw as well.
   * @throws Fault `store-unavailable`, `store-damaged`, `disk-full`
   */
  update(changes: readonly DigestChange[]): Promise<void>
}

/** One step of {@link DigestStore.update}. */
export interface DigestChange {
  readonly reference: string
  readonly from: Digest | null
  readonly to: Digest
}

/** A kind of digest store, by the scheme of its URL. */
export interface DigestStoreKind {
  readonly scheme: string
  /** How its URL is written, for messages. */
  readonly example: string
  open(url: string, options: { readonly clock: Clock }): DigestStore
}
