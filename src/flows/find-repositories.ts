import { formatRepository } from '../core/reference.js'
import { matchesUidpFilter, type UidpFilter } from '../core/uidp-filter.js'
import type { RepositoryRecord } from '../store/iam.js'
import { type IamContext, refuseNobody } from './iam-groups.js'
import { listRepositories } from './iam-repositories.js'

/** What is asked of {@link findRepositories}; an empty text is as if it were left out. */
export interface RepositoryQuestion {
  /** Without the organization; exact. */
  readonly name?: string
  readonly id?: string
  readonly uidp?: UidpFilter | undefined
}

/** A repository with the tags that are watched there and point at something. */
export interface FoundRepository {
  readonly record: RepositoryRecord
  readonly activeTags: readonly string[]
}

/**
 * The repositories that the caller may see, by id.
 * @throws Fault `unauthenticated` for a caller without a token who may see none
 */
export async function findRepositories(
  context: IamContext,
  { name = '', id = '', uidp = {} }: RepositoryQuestion,
): Promise<readonly FoundRepository[]> {
  const visible = await listRepositories(context)
  refuseNobody(context, 'repo.list', visible.length)
  const found = visible
    .filter((record) => name === '' || record.name === name)
    .filter((record) => id === '' || record.uidp === id)
    .filter((record) => matchesUidpFilter(record.uidp, uidp))
  const { tags } = context.store
  const [only, ...others] = found
  if (only === undefined) return []
  const active = new Map<string, string[]>()
  for (const tag of await tags.watched(others.length === 0 ? only.upstream : undefined)) {
    const key = formatRepository(tag.repository)
    const names = active.get(key)
    if (names === undefined) active.set(key, [tag.name])
    else names.push(tag.name)
  }
  return found.map((record) => ({ record, activeTags: active.get(formatRepository(record.upstream)) ?? [] }))
}
