import type { Clock } from '../core/clock.js'
import { Fault, oneLine } from '../core/fault.js'
import { installation, isUidp, parseUidp, type Scope } from '../core/identity.js'
import type { Caller } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'
import { decide, refusal } from '../iam/decide.js'
import type { GroupRecord } from '../store/iam.js'
import type { Store } from '../store/store.js'
import type { Authority } from './authority.js'

/** What changes to who there is are made with: for every surface the same rules. */
export interface IamContext {
  readonly store: Store
  readonly authority: Authority
  readonly caller: Caller
  readonly clock: Clock
  /** What clients call the registry of this server; null where there is none. */
  ownRegistry(): string | null
}

/** Chainguard's rule (sdk v0.1.20 `validation/`), with an end. */
const namePattern = /^[a-z0-9 ._-]{1,100}$/

/**
 * Reads the name of a group or an identity.
 * @throws Fault `invalid-argument`
 */
export function parseName(text: string): string {
  if (namePattern.test(text) && text.trim() === text) return text
  throw new Fault('invalid-argument', `not a name: '${oneLine(text.slice(0, 120))}'`, {
    fix: 'Use lower-case letters, digits, `.`, `_` and `-`, at most 100 of them.',
  })
}

/**
 * Makes an organization, or a folder below a group.
 * @throws Fault `forbidden`, `conflict`, `not-found`, `invalid-argument`
 */
export async function createGroup(
  { store, authority, caller }: IamContext,
  group: {
    name: string
    parent: Scope
    id?: string | undefined
    description?: string | undefined
    isPublic?: boolean | undefined
  },
): Promise<GroupRecord> {
  const { parent, id, description = '', isPublic = false } = group
  const name = parseName(group.name)
  const uidp = id === undefined ? undefined : parseUidp(id)
  authority.authorize(caller, 'groups.create', { scope: parent })
  const made = await store.groups.create({ parent, name, description, isPublic, uidp })
  authority.granted(caller, 'groups.create', made.uidp)
  return made
}

/**
 * Where lists show what the caller may see and nothing else, nobody in particular is told that they need a token when that is
 * nothing; an empty list is the answer for somebody.
 * @throws Fault `unauthenticated`
 */
export function refuseNobody({ caller }: IamContext, capability: Capability, visible: number): void {
  if (caller.kind === 'anonymous' && visible === 0) throw refusal(caller, capability)
}

/**
 * Changes the name and the description of a group. An empty name leaves it as it is.
 * @throws Fault as {@link requireGroup}; `conflict`, also for the name of `default`
 */
export async function updateGroup(
  context: IamContext,
  { id, name, description }: { id: string; name: string; description: string },
): Promise<GroupRecord> {
  const { store, authority, caller } = context
  const group = await requireGroup(context, parseUidp(id), 'groups.update')
  if (name !== '' && name !== group.name && group.uidp === (await authority.defaultGroup())) {
    throw new Fault('conflict', 'the organization `default` keeps its name')
  }
  const change = { description, ...(name !== '' && { name: parseName(name) }) }
  const changed = await store.groups.update(group.uidp, change)
  if (changed === null) throw new Fault('not-found', `the group ${id} is gone`)
  authority.granted(caller, 'groups.update', group.uidp)
  return changed
}

/** The groups that the caller may see, by id. */
export async function listGroups({ store, caller }: IamContext): Promise<readonly GroupRecord[]> {
  const groups = await store.groups.list()
  return groups.filter(({ uidp, isPublic }) => decide(caller, 'groups.list', { scope: uidp, isPublic }).isAllowed)
}

/**
 * The group of that name, path of names (`org/folder`) or id, for a caller who may do what needs `capability` there.
 * @throws Fault `not-found` where there is none, and where the caller may not even see it; `forbidden`, `unauthenticated`
 */
export async function requireGroup(context: IamContext, text: string, capability: Capability): Promise<GroupRecord> {
  const { store, authority, caller } = context
  const group = isUidp(text) ? await store.groups.find(text) : await findByPath(context, text)
  const isSeen = group !== null && decide(caller, 'groups.list', seen(group)).isAllowed
  if (group === null || !isSeen) {
    if (caller.kind !== 'admin') authority.refused(caller, capability, text)
    if (caller.kind === 'anonymous') throw refusal(caller, capability)
    throw new Fault('not-found', `there is no group '${oneLine(text.slice(0, 200))}' that you may see`)
  }
  authority.authorize(caller, capability, seen(group))
  return group
}

/** As {@link requireGroup}; `/` stands for the whole installation. */
export async function requireScope(context: IamContext, text: string, capability: Capability): Promise<Scope> {
  if (text !== installation) return (await requireGroup(context, text, capability)).uidp
  context.authority.authorize(context.caller, capability, { scope: installation })
  return installation
}

/** Deletes an empty group. @throws Fault `conflict` while something is in it, and for `default` */
export async function deleteGroup(context: IamContext, text: string): Promise<{ id: string; deleted: boolean }> {
  const { store, authority, caller } = context
  const { uidp } = await requireGroup(context, text, 'groups.delete')
  if (uidp === (await authority.defaultGroup())) {
    throw new Fault('conflict', 'the organization `default` holds what nobody put elsewhere, and stays')
  }
  const deleted = await store.groups.remove(uidp)
  authority.granted(caller, 'groups.delete', uidp)
  return { id: uidp, deleted }
}

function seen({ uidp, isPublic }: GroupRecord) {
  return { scope: uidp, isPublic }
}

async function findByPath({ store }: IamContext, path: string): Promise<GroupRecord | null> {
  const [name = '', ...folders] = path.split('/')
  let group = await store.groups.findByName(name)
  if (folders.length === 0) return group
  const all = await store.groups.list()
  for (const folder of folders) {
    const { uidp = '' } = group ?? {}
    group = all.find((entry) => entry.name === folder && entry.uidp.slice(0, -17) === uidp) ?? null
  }
  return group
}
