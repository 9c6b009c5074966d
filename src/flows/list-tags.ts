import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { formatRepository, type Repository } from '../core/reference.js'
import type { Services } from './open.js'
import { type ServeCall, serveMaxWaitMs } from './serve-manifest.js'

/**
 * Lists the tags of a repository for others: all of them, in ASCII order, whatever order its registry has.
 * @param isGoingOn whether it goes on with a list that was begun: then one that was read a moment ago serves again
 */
export type TagLister = (repository: Repository, isGoingOn: boolean, call: ServeCall) => Promise<readonly string[]>

/** How long a list is kept for those who read it page by page. */
const keptMs = 60_000
/** Lists kept at a time, and tags of all of them: a tag takes some 40 bytes. */
const keptLists = 64
const keptTags = 500_000

/** See {@link TagLister}. */
export function createTagLister(services: Services): TagLister {
  const kept = new Map<string, { readonly tags: readonly string[]; readonly until: number }>()
  const keep = (name: string, tags: readonly string[], now: number) => {
    kept.delete(name)
    kept.set(name, { tags, until: now + keptMs })
    let count = 0
    for (const list of kept.values()) count += list.tags.length
    for (const [oldest, list] of kept) {
      if (kept.size <= keptLists && count <= keptTags && list.until > now) return
      kept.delete(oldest)
      count -= list.tags.length
    }
  }
  return async (repository, isGoingOn, { cost, signal }) => {
    const now = services.clock.now()
    const name = formatRepository(repository)
    const known = isGoingOn ? kept.get(name) : undefined
    if (known !== undefined && known.until > now) return known.tags
    const registry = await services.registry()
    const all = new Set<string>()
    const call = { cost, signal, priority: 'interactive', maxWaitMs: serveMaxWaitMs } as const
    for await (const page of registry.tags(repository, call)) {
      for (const tag of page) all.add(tag)
      if (all.size > limits.tags) throw new Fault('too-large', `${name} has more than ${limits.tags} tags`)
    }
    // By code units: what the specification calls ASCIIbetical.
    const tags = [...all].sort()
    keep(name, tags, now)
    return tags
  }
}
