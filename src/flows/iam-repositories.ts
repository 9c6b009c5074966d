import { Fault, oneLine } from '../core/fault.js'
import { installation, isUidp, parseUidp } from '../core/identity.js'
import { parseRepository, pathComponent } from '../core/reference.js'
import type { Capability } from '../iam/capabilities.js'
import { decide, refusal, repositoryResource } from '../iam/decide.js'
import type { RepositoryRecord } from '../store/iam.js'
import { defaultMaxTags, parseEvery } from './config.js'
import { endUnwantedWatches } from './follow-tags.js'
import { type IamContext, requireGroup } from './iam-groups.js'
import { upstreamOf } from './own-reference.js'

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

const stepPattern = new RegExp(`^${pathComponent}$`)

/**
 * Binds a name of an organization to a repository on a registry. It spends our credentials on whatever the caller names: beside
 * the right to make repositories that takes the right to read any upstream, on the whole installation.
 * @throws Fault `forbidden`, `conflict`, `not-found`, `invalid-argument`, `invalid-reference`, `invalid-duration`
 */
export async function addRepository(context: IamContext, wish: NewRepository): Promise<RepositoryRecord> {
  const { groupPath, name } = parseBoundName(wish.name)
  return await bindRepository(context, { ...wish, group: groupPath, name })
}

/**
 * As {@link addRepository}.
 * @param wish.group its name, path of names or id
 * @param wish.name the last step alone
 */
export async function bindRepository(
  context: IamContext,
  wish: NewRepository & { readonly group: string; readonly description?: string },
): Promise<RepositoryRecord> {
  const { store, authority, caller } = context
  const name = parseStep(wish.name)
  // A name of ours stands for what it is bound to: a server that asked itself would never end.
  const named = { ownRegistry: context.ownRegistry, store: async () => store }
  const upstream = await upstreamOf(parseRepository(wish.upstream), named)
  const everyMs = wish.every === undefined ? null : parseEvery(wish.every)
  if (wish.tags.length === 0 && everyMs !== null) {
    throw new Fault('invalid-argument', 'an interval goes with tags', { fix: "Add --tags '*'." })
  }
  const group = await requireGroup(context, wish.group, 'repo.create')
  if (group.uidp === (await authority.defaultGroup())) {
    throw new Fault('invalid-argument', 'in `default` a repository has the name of its upstream', {
      fix: 'Make an organization: `tidemark iam group create NAME`.',
    })
  }
  authority.authorize(caller, 'upstream.read', { scope: installation })
  const made = await store.repositories.create({
    ...{ group: group.uidp, name, upstream, description: wish.description ?? '', isPublic: wish.isPublic ?? null },
    rule: wish.tags.length === 0 ? null : { tags: wish.tags, everyMs, maxTags: defaultMaxTags },
  })
  authority.granted(caller, 'repo.create', made.fullName)
  return made
}

/** The repositories that the caller may see, by id. */
export async function listRepositories({ store, caller }: IamContext): Promise<readonly RepositoryRecord[]> {
  const all = await store.repositories.list()
  return all.filter((record) => decide(caller, 'repo.list', repositoryResource(record)).isAllowed)
}

/**
 * The repository of that name, or id, for a caller who may do what needs `capability` to it.
 * @throws Fault `not-found` where there is none, and where the caller may not even see it; `forbidden`, `unauthenticated`
 */
export async function requireBoundRepository(
  { store, authority, caller }: IamContext,
  text: string,
  capability: Capability,
): Promise<RepositoryRecord> {
  const found = isUidp(text) ? await store.repositories.find(text) : await store.repositories.findByName(text)
  if (found === null || !decide(caller, 'repo.list', repositoryResource(found)).isAllowed) {
    if (caller.kind === 'anonymous') throw refusal(caller, capability)
    throw new Fault('not-found', `there is no repository ${oneLine(text.slice(0, 200))} that you may see`)
  }
  authority.authorize(caller, capability, repositoryResource(found))
  return found
}

/**
 * Changes the name and the description of a repository. An empty name leaves it as it is.
 * @throws Fault as {@link requireBoundRepository}; `conflict` when the name is taken, and in `default`
 */
export async function updateRepository(
  context: IamContext,
  { id, name, description }: { id: string; name: string; description: string },
): Promise<RepositoryRecord> {
  const { store, authority, caller } = context
  const found = await requireBoundRepository(context, parseUidp(id), 'repo.update')
  const isOther = name !== '' && name !== found.name
  if (isOther && found.group === (await authority.defaultGroup())) {
    throw new Fault('conflict', 'in `default` a repository has the name of its upstream')
  }
  const changed = await store.repositories.update(found.uidp, {
    description,
    ...(isOther && { name: parseStep(name) }),
  })
  if (changed === null) throw new Fault('not-found', `the repository ${id} is gone`)
  authority.granted(caller, 'repo.update', changed.fullName)
  return changed
}

/**
 * Ends a binding, its rule and its watches; the history belongs to the upstream and stays.
 * @param text its name or id
 */
export async function removeRepository(context: IamContext, text: string): Promise<{ id: string; deleted: boolean }> {
  const { store, authority, caller } = context
  const { uidp, fullName, upstream } = await requireBoundRepository(context, text, 'repo.delete')
  const deleted = await store.repositories.remove(uidp)
  await endUnwantedWatches(upstream, store)
  authority.granted(caller, 'repo.delete', fullName)
  return { id: uidp, deleted }
}

function parseStep(name: string): string {
  if (name.length <= 255 && stepPattern.test(name)) return name
  throw new Fault('invalid-argument', `not the name of a repository: '${oneLine(name.slice(0, 200))}'`, {
    fix: 'Write one step in lower case, for example `nginx`.',
  })
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
