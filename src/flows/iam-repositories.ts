import { Fault, oneLine } from '../core/fault.js'
import { installation } from '../core/identity.js'
import { parseRepository } from '../core/reference.js'
import { decide } from '../iam/decide.js'
import type { RepositoryRecord } from '../store/iam.js'
import { defaultMaxTags, parseEvery } from './config.js'
import { type IamContext, requireGroup } from './iam-groups.js'

/** What is said of a repository when it is bound. */
export interface NewRepository {
  /** `ORG[/FOLDER]/NAME` */
  readonly name: string
  readonly upstream: string
  /** Globs of the tags to watch. */
  readonly tags: readonly string[]
  readonly every?: string | undefined
  readonly isPublic?: boolean | undefined
}

/** A step of a repository's path: OCI distribution v1.1.1, "Pulling manifests". */
const stepPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

/**
 * Binds a name of an organization to a repository on a registry. It spends our credentials on whatever the caller names: beside
 * the right to make repositories that takes the right to read any upstream, on the whole installation.
 * @throws Fault `forbidden`, `conflict`, `not-found`, `invalid-argument`, `invalid-reference`, `invalid-duration`
 */
export async function addRepository(context: IamContext, wish: NewRepository): Promise<RepositoryRecord> {
  const { store, authority, caller } = context
  const { groupPath, name } = parseBoundName(wish.name)
  const upstream = parseRepository(wish.upstream)
  const everyMs = wish.every === undefined ? null : parseEvery(wish.every)
  if (wish.tags.length === 0 && everyMs !== null) {
    throw new Fault('invalid-argument', 'an interval goes with tags', { fix: "Add --tags '*'." })
  }
  const group = await requireGroup(context, groupPath, 'repo.create')
  if (group.uidp === (await authority.defaultGroup())) {
    throw new Fault('invalid-argument', 'in `default` a repository has the name of its upstream', {
      fix: 'Make an organization: `tidemark iam group create NAME`.',
    })
  }
  authority.authorize(caller, 'upstream.read', { scope: installation })
  const made = await store.repositories.create({
    ...{ group: group.uidp, name, upstream, description: '', isPublic: wish.isPublic ?? null },
    rule: wish.tags.length === 0 ? null : { tags: wish.tags, everyMs, maxTags: defaultMaxTags },
  })
  authority.granted(caller, 'repo.create', made.fullName)
  return made
}

/** The repositories that the caller may see, by id. */
export async function listRepositories({ store, caller }: IamContext): Promise<readonly RepositoryRecord[]> {
  const all = await store.repositories.list()
  return all.filter(
    ({ uidp, isPublic, fullName }) => decide(caller, 'repo.list', { scope: uidp, isPublic, name: fullName }).isAllowed,
  )
}

/** Ends a binding, its rule and its watches; the history belongs to the upstream and stays. */
export async function removeRepository(context: IamContext, name: string): Promise<{ id: string; deleted: boolean }> {
  const { store, authority, caller } = context
  const found = await store.repositories.findByName(name)
  const isSeen =
    found !== null && decide(caller, 'repo.list', { scope: found.uidp, isPublic: found.isPublic, name }).isAllowed
  if (found === null || !isSeen) {
    throw new Fault('not-found', `there is no repository ${oneLine(name.slice(0, 200))} that you may see`)
  }
  authority.authorize(caller, 'repo.delete', { scope: found.uidp, name })
  const deleted = await store.repositories.remove(found.uidp)
  authority.granted(caller, 'repo.delete', name)
  return { id: found.uidp, deleted }
}

function parseBoundName(text: string): { groupPath: string; name: string } {
  const steps = text.split('/')
  const name = steps.pop() ?? ''
  const isName = text.length <= 255 && [...steps, name].every((step) => stepPattern.test(step))
  if (steps.length > 0 && isName) return { groupPath: steps.join('/'), name }
  throw new Fault('invalid-argument', `not the name of a repository: '${oneLine(text.slice(0, 200))}'`, {
    fix: 'Write ORG/NAME, in lower case, without tag.',
  })
}
