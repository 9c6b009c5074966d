import type { WatchedTagList } from '../../client/src/index.js'
import { formatRepository, isSameRepository, parseReference, type Repository } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Caller } from '../iam/caller.js'
import { everyMsOf } from './config.js'
import type { Services } from './open.js'
import { wireWatch } from './wire.js'

/** Which watched tags are wanted. */
export interface WatchedTagsQuestion {
  /** `ORG/NAME` or a reference, on our own host or without it; with a tag, only that one. */
  readonly name: string
  readonly limit: number
  /** The tag that the page before ended with. */
  readonly after?: string | undefined
}

/**
 * The watched tags of a repository, by name. A watch belongs to the upstream: every repository that is bound to it shows it.
 * @throws Fault as `RegistryTokens.requireRepository`; `invalid-reference`
 */
export async function listWatchedTags(
  { name, limit, after }: WatchedTagsQuestion,
  services: Services,
  caller: Caller,
): Promise<{ readonly body: WatchedTagList; readonly next: string | null }> {
  const authority = await services.authority()
  const asked = await splitName(name, services)
  const { upstream, record } = await authority.requireRepository(caller, asked.repository, 'tag.list')
  const { watches } = await services.store()
  const all = (await watches.list())
    .filter(({ reference }) => isSameRepository(reference, upstream))
    .filter(({ reference: { tag } }) => (asked.tag ?? tag) === tag && (after === undefined || tag > after))
    .sort((a, b) => (a.reference.tag < b.reference.tag ? -1 : 1))
  const page = all.slice(0, limit)
  const everyMs = everyMsOf(await services.config())
  const tags = page.map((watch) => {
    const { digest, state, reason, checkedAt } = wireWatch(watch, everyMs)
    const movedAt = watch.movedAt === null ? null : formatTime(watch.movedAt)
    return { tag: watch.reference.tag, digest, state, reason, movedAt, checkedAt }
  })
  const body = { repository: record?.fullName ?? asked.repository, upstream: formatRepository(upstream), tags }
  return { body, next: all.length > limit ? (page.at(-1)?.reference.tag ?? null) : null }
}

/** The name as the authority knows it: what is bound so, else the upstream that it names. */
async function splitName(text: string, services: Services): Promise<{ repository: string; tag?: string }> {
  const own = services.ownRegistry()
  const bare = own !== null && text.startsWith(`${own}/`) ? text.slice(own.length + 1) : text
  const reference = parseReference(bare)
  const hasTag = /:[^/]*$/.test(bare.replace(/@.*$/, ''))
  const named = hasTag ? bare.slice(0, bare.lastIndexOf(':')) : bare
  const { repositories } = await services.store()
  const isBound = (await repositories.findByName(named)) !== null
  const repository = isBound ? named : formatRepository(reference satisfies Repository)
  return { repository, ...(hasTag && reference.tag !== undefined && { tag: reference.tag }) }
}
