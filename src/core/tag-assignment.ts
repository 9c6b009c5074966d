import type { Digest } from './digest.js'

/** What a registry's own list says that a tag points at. A hint, which may be stale: a HEAD of the tag is the proof. */
export interface TagAssignment {
  readonly tag: string
  /** Of what the tag points at, which for a tag of several platforms is the index, never one platform's manifest. */
  readonly digest: Digest
  /**
   * When the registry says that the tag was pushed, or where it knows only that, the digest: then a tag that was moved back
   * has an older time than its move. Milliseconds since the epoch; null where the registry does not say.
   */
  readonly pushedAt: number | null
}
