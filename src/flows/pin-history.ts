import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Services } from './open.js'
import { resolveRevision } from './resolve.js'

/** Whose histories pins of the past are taken from: those of the store here, or of a server. */
export interface PinHistory {
  /**
   * What a tag was at a time, in milliseconds since the epoch.
   * @throws Fault `not-watched`, `before-history`, `tag-not-found` for a removal, `store-unavailable`
   */
  at(reference: TagReference, timeMs: number): Promise<Digest>
  /** Whether a tag got a digest after a time. */
  hasGot(reference: TagReference, digest: Digest, afterMs: number): Promise<boolean>
}

/** The histories of the store. @param warn told of gaps */
export function storedHistory(services: Services, warn: (message: string) => void): PinHistory {
  return {
    async at(reference, timeMs) {
      const name = formatReference(reference)
      const { digest } = await resolveRevision(`${name}@{${formatTime(timeMs)}}`, services, warn)
      if (digest === undefined) throw new Fault('before-history', `the history of ${name} is empty`)
      return digest
    },
    async hasGot(reference, digest, afterMs) {
      const { history } = await services.store()
      const later = { start: afterMs + 1, limit: limits.pages, order: 'desc', withoutRemovals: true } as const
      const page = await history.page(reference, later)
      return page?.entries.some((entry) => entry.digest === digest) ?? false
    },
  }
}
