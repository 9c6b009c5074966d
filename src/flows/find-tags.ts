import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { isUidp, parentOf, parseUidp, tagUidp, type Uidp } from '../core/identity.js'
import { formatRepository } from '../core/reference.js'
import { matchesUidpFilter, type UidpFilter } from '../core/uidp-filter.js'
import { decide, repositoryResource } from '../iam/decide.js'
import type { RepositoryRecord } from '../store/iam.js'
import { type IamContext, refuseNobody } from './iam-groups.js'
import { tagHistoryEntries } from './serve-history.js'

/** What is asked of {@link findTags}; an empty text is as if it were left out. */
export interface TagQuestion {
  readonly name?: string
  readonly id?: string
  readonly digest?: string
  readonly uidp?: UidpFilter | undefined
  /** Inclusive. */
  readonly updatedSince?: number | undefined
  readonly excludeReferrers?: boolean
  readonly excludeDates?: boolean
  readonly excludeEpochs?: boolean
}

/** A watched tag, as a repository shows it. */
export interface FoundTag {
  readonly uidp: Uidp
  readonly name: string
  readonly digest: Digest
  readonly movedAt: number
}

/**
 * The tags that are watched and point at something, in all repositories that the caller may see: those of an upstream in each of
 * the repositories that are bound to it. By repository and name.
 * @throws Fault `unauthenticated` for a caller without a token who may see none
 */
export async function findTags(context: IamContext, question: TagQuestion): Promise<readonly FoundTag[]> {
  const visible = (await context.store.repositories.list()).filter((record) => mayReadTags(context, record))
  refuseNobody(context, 'tag.list', visible.length)
  const repositories = visible.filter(({ uidp }) => mayHold(uidp, question))
  const upstreams = new Set(repositories.map(({ upstream }) => formatRepository(upstream)))
  const [only] = repositories
  if (only === undefined) return []
  const byUpstream = new Map<string, FoundTag[]>()
  for (const tag of await context.store.tags.watched(upstreams.size === 1 ? only.upstream : undefined)) {
    const key = formatRepository(tag.repository)
    const { name, digest, movedAt } = tag
    const listed = byUpstream.get(key) ?? []
    listed.push({ uidp: only.uidp, name, digest, movedAt })
    byUpstream.set(key, listed)
  }
  return repositories.flatMap(({ uidp, upstream }) =>
    (byUpstream.get(formatRepository(upstream)) ?? [])
      .map((tag) => ({ ...tag, uidp: tagUidp(uidp, tag.name) }))
      .filter((tag) => isWanted(tag, question)),
  )
}

/**
 * When a tag began to point at what, oldest first: the first 1,000 from `start` on and before `end`. Nothing for a tag that is not
 * there, has no history, or that the caller may not see.
 * @param question.tag the UIDP of the tag
 * @throws Fault `invalid-argument`, `invalid-time`; `unauthenticated` for a caller without a token who may not see it
 */
export async function findTagHistory(
  context: IamContext,
  { tag, start, end }: { tag: string; start?: number | undefined; end?: number | undefined },
): Promise<readonly { readonly at: number; readonly digest: Digest }[]> {
  const uidp = parseUidp(tag)
  if (start !== undefined && end !== undefined && start > end) {
    throw new Fault('invalid-time', 'start lies after end', { fix: 'Exchange them.' })
  }
  const { store } = context
  const parent = parentOf(uidp)
  const found = isUidp(parent) ? await store.repositories.find(parent) : null
  const repository = found !== null && mayReadTags(context, found) ? found : null
  refuseNobody(context, 'tag.list', repository === null ? 0 : 1)
  if (repository === null) return []
  const name = await store.tags.nameOf(repository.upstream, Buffer.from(uidp.slice(-16), 'hex'))
  if (name === null) return []
  const range = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }
  const page = await store.history.page(
    { ...repository.upstream, tag: name },
    { ...range, limit: tagHistoryEntries, order: 'asc', withoutRemovals: true },
  )
  return (page?.entries ?? []).flatMap(({ at, digest }) => (digest === null ? [] : [{ at, digest }]))
}

function mayReadTags({ caller }: IamContext, repository: RepositoryRecord): boolean {
  return decide(caller, 'tag.list', repositoryResource(repository)).isAllowed
}

/** Whether a tag of that repository can be meant at all: one repository is read much faster than all. */
function mayHold(repository: Uidp, { id = '', uidp: { childrenOf = '', ids = [] } = {} }: TagQuestion): boolean {
  const isAbove = (tag: string) => tag.startsWith(`${repository}/`)
  if (id !== '' && !isAbove(id)) return false
  if (childrenOf !== '' && childrenOf !== repository) return false
  return ids.length === 0 || ids.some(isAbove)
}

function isWanted(tag: FoundTag, question: TagQuestion): boolean {
  const { name = '', id = '', digest = '', uidp = {}, updatedSince } = question
  if (name !== '' && tag.name !== name) return false
  if (id !== '' && tag.uidp !== id) return false
  if (digest !== '' && tag.digest !== digest) return false
  if (updatedSince !== undefined && tag.movedAt < updatedSince) return false
  if (question.excludeReferrers && tag.name.startsWith('sha256-')) return false
  // Chainguard's own naming (sdk v0.1.50, TagFilter): `latest-20240102`, `1.2.3-r4`.
  if (question.excludeDates && /-20\d{6}$/.test(tag.name)) return false
  if (question.excludeEpochs && /-r\d+$/.test(tag.name)) return false
  return matchesUidpFilter(tag.uidp, uidp)
}
