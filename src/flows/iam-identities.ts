import { Fault, oneLine } from '../core/fault.js'
import { parseUidp, type Scope, type Uidp } from '../core/identity.js'
import { parseDuration } from '../core/time.js'
import { isRole, type Role, roles } from '../iam/capabilities.js'
import { decide, holdsAll, refusal } from '../iam/decide.js'
import { hashSecret, newSecret } from '../iam/secrets.js'
import type { IdentityChange, IdentityRecord, RoleBindingRecord } from '../store/iam.js'
import { type IamContext, parseName, requireGroup, requireScope } from './iam-groups.js'
import { issuerUrl } from './issuer-keys.js'

/** What is said of an identity when it is made. */
export interface NewIdentity {
  readonly name: string
  readonly group: string
  readonly roles: readonly Role[]
  readonly ttl?: string | undefined
  readonly id?: string | undefined
  readonly description?: string | undefined
  /** Whether every signed-in user may assume it. */
  readonly isForAnyUser?: boolean | undefined
  /** Whose tokens stand for it, with a glob for their subject. */
  readonly issuer?: string | undefined
  readonly subject?: string | undefined
  readonly claims?: readonly string[] | undefined
  readonly audience?: string | undefined
}

const pullTokenTtl = '30d'
const longestTtlMs = 366 * 86_400_000

/**
 * Makes an identity with roles on its group. One that nobody assumes gets a secret, told this once and kept as its hash.
 * @throws Fault `forbidden` also for a role that the caller does not have: nobody hands out more than they hold
 */
export async function createIdentity(
  context: IamContext,
  wish: NewIdentity,
): Promise<{ identity: IdentityRecord; secret: string | null }> {
  const { store, authority, caller } = context
  const { description = '', isForAnyUser = false, issuer, subject, claims = [], audience } = wish
  const group = await requireGroup(context, wish.group, 'identity.create')
  requireRoles(context, wish.roles, group.uidp)
  const kind = kindOf(isForAnyUser, issuer, subject, claims)
  if (issuer !== undefined) issuerUrl(issuer)
  const secret = kind === 'service' ? newSecret().reveal() : null
  const identity = await store.identities.create(
    {
      ...{ name: parseName(wish.name), group: group.uidp, description, kind, repository: null },
      ...{ issuer: issuer ?? null, subject: subject ?? null, claims: parseClaims(claims), audience: audience ?? null },
      uidp: wish.id === undefined ? undefined : parseUidp(wish.id),
      secretHash: secret === null ? null : hashSecret(secret),
      expiresAt: wish.ttl === undefined ? null : expiryOf(wish.ttl, context),
    },
    wish.roles.map((role) => ({ scope: group.uidp, role })),
  )
  authority.granted(caller, 'identity.create', `${identity.uidp} ${wish.roles.join(' ')}`)
  return { identity, secret }
}

/**
 * Makes a name and password that pull from a group, or from one repository of it, and do nothing else.
 * @throws Fault as {@link createIdentity}
 */
export async function createPullToken(
  context: IamContext,
  wish: { group: string; name?: string | undefined; ttl?: string | undefined; repository?: string | undefined },
): Promise<{ identity: IdentityRecord; password: string; expiresAt: number }> {
  const { store, authority, caller } = context
  const group = await requireGroup(context, wish.group, 'identity.create')
  requireRoles(context, ['registry.pull'], group.uidp)
  const password = newSecret().reveal()
  const repository =
    wish.repository === undefined
      ? null
      : (await authority.requireRepository(caller, wish.repository, 'repo.blobs.get')).record
  if (repository === null && wish.repository !== undefined) {
    throw new Fault('not-found', `there is no repository ${oneLine(wish.repository)}`)
  }
  if (repository !== null && repository.group !== group.uidp) {
    throw new Fault('invalid-argument', `${repository.fullName} does not lie in ${group.name}`)
  }
  const expiresAt = expiryOf(wish.ttl ?? pullTokenTtl, context)
  const name = parseName(wish.name ?? `pull-token-${hashSecret(password).toString('hex').slice(0, 12)}`)
  const identity = await store.identities.create(
    {
      ...{ name, group: group.uidp, description: '', kind: 'pull-token', repository: repository?.uidp ?? null },
      ...{ issuer: null, subject: null, claims: {}, audience: null, expiresAt, secretHash: hashSecret(password) },
    },
    [{ scope: group.uidp, role: 'registry.pull' }],
  )
  authority.granted(caller, 'pull-token.create', identity.uidp)
  return { identity, password, expiresAt }
}

/** The identities that the caller may see, by id. */
export async function listIdentities(context: IamContext, group?: string): Promise<readonly IdentityRecord[]> {
  const { store, caller } = context
  const only = group === undefined ? null : (await requireGroup(context, group, 'identity.list')).uidp
  const all = await store.identities.list()
  return all
    .filter((identity) => only === null || identity.group === only)
    .filter(({ uidp }) => decide(caller, 'identity.list', { scope: uidp }).isAllowed)
}

/** @throws Fault `not-found`, also for one that the caller may not see */
export async function requireIdentity(
  { store, authority, caller }: IamContext,
  id: string,
  capability: 'identity.list' | 'identity.delete' | 'identity.update',
): Promise<IdentityRecord> {
  const identity = await store.identities.find(parseUidp(id))
  const isSeen = identity !== null && decide(caller, 'identity.list', { scope: identity.uidp }).isAllowed
  if (caller.kind === 'anonymous') throw refusal(caller, capability)
  if (identity === null || !isSeen) throw new Fault('not-found', `there is no identity ${id} that you may see`)
  authority.authorize(caller, capability, { scope: identity.uidp })
  return identity
}

/** What may be said anew of an identity. */
export interface IdentityUpdate {
  readonly id: string
  /** Empty: as it is. */
  readonly name: string
  readonly description: string
  /** Whose tokens stand for it from now on, or what kind of identity the caller takes it for; left out: as it is. */
  readonly match?:
    | Required<Pick<NewIdentity, 'issuer' | 'subject' | 'claims' | 'audience'>>
    | 'any-user'
    | 'secret'
    | undefined
}

/**
 * Changes an identity. Whoever says whose tokens stand for it could become it: that takes every role that it has.
 * @throws Fault as {@link createIdentity}; `conflict` for a match on one that no issuer's tokens stand for
 */
export async function updateIdentity(context: IamContext, update: IdentityUpdate): Promise<IdentityRecord> {
  const { store, authority, caller } = context
  const { match, description } = update
  const identity = await requireIdentity(context, update.id, 'identity.update')
  const name = update.name === '' ? {} : { name: parseName(update.name) }
  const rule = ruleOf(identity, match)
  if (rule !== null) await requireWhole(context, identity)
  const changed = await store.identities.update(identity.uidp, { ...name, description, ...rule })
  if (changed === null) throw new Fault('not-found', `the identity ${identity.uidp} is gone`)
  authority.granted(caller, 'identity.update', identity.uidp)
  return changed
}

/** Deletes an identity with its roles: what it holds is refused from now on. */
export async function deleteIdentity(context: IamContext, id: string): Promise<{ id: string; deleted: boolean }> {
  const { uidp } = await requireIdentity(context, id, 'identity.delete')
  const deleted = await context.store.identities.remove(uidp)
  context.authority.granted(context.caller, 'identity.delete', uidp)
  return { id: uidp, deleted }
}

/** Gives an identity a role on a group and all below it. @throws Fault as {@link createIdentity} */
export async function createRoleBinding(
  context: IamContext,
  { identity, role, group }: { identity: string; role: Role; group: string },
): Promise<RoleBindingRecord> {
  const { store, authority, caller } = context
  const scope = await requireScope(context, group, 'role_bindings.create')
  requireRoles(context, [role], scope)
  const binding = await store.roleBindings.create({ scope, identity: parseUidp(identity), role })
  authority.granted(caller, 'role_bindings.create', `${binding.identity} ${role} ${scope}`)
  return binding
}

/** The bindings that the caller may see, by id. */
export async function listRoleBindings(
  { store, caller }: IamContext,
  identity?: string,
): Promise<readonly RoleBindingRecord[]> {
  const all = await store.roleBindings.list(identity === undefined ? undefined : parseUidp(identity))
  return all.filter(({ scope }) => decide(caller, 'role_bindings.list', { scope }).isAllowed)
}

/** @throws Fault `not-found`, also for one that the caller may not see */
export async function requireRoleBinding(
  { store, authority, caller }: IamContext,
  id: string,
  capability: 'role_bindings.list' | 'role_bindings.update' | 'role_bindings.delete',
): Promise<RoleBindingRecord> {
  const binding = await store.roleBindings.find(parseUidp(id))
  const isSeen = binding !== null && decide(caller, 'role_bindings.list', { scope: binding.scope }).isAllowed
  if (caller.kind === 'anonymous') throw refusal(caller, capability)
  if (binding === null || !isSeen) throw new Fault('not-found', `there is no role binding ${id} that you may see`)
  authority.authorize(caller, capability, { scope: binding.scope })
  return binding
}

/**
 * Makes of a binding another one on the same scope. What is empty stays.
 * @throws Fault as {@link createRoleBinding}
 */
export async function updateRoleBinding(
  context: IamContext,
  { id, identity, role }: { id: string; identity: string; role: Role | '' },
): Promise<RoleBindingRecord> {
  const { store, authority, caller } = context
  const found = await requireRoleBinding(context, id, 'role_bindings.update')
  const wanted = role === '' ? found.role : role
  if (!isRole(wanted)) throw new Fault('invalid-argument', `there is no role ${wanted} any more`)
  requireRoles(context, [wanted], found.scope)
  const to = identity === '' ? found.identity : parseUidp(identity)
  const changed = await store.roleBindings.update(found.uidp, { identity: to, role: wanted })
  if (changed === null) throw new Fault('not-found', `the role binding ${id} is gone`)
  authority.granted(caller, 'role_bindings.update', `${to} ${wanted} ${found.scope}`)
  return changed
}

/** Takes a role away: it ends with the next request. */
export async function deleteRoleBinding(context: IamContext, id: string): Promise<{ id: string; deleted: boolean }> {
  const { uidp, identity, role, scope } = await requireRoleBinding(context, id, 'role_bindings.delete')
  const deleted = await context.store.roleBindings.remove(uidp)
  context.authority.granted(context.caller, 'role_bindings.delete', `${identity} ${role} ${scope}`)
  return { id: uidp, deleted }
}

/** @throws Fault `forbidden` where the identity may do something that the caller may not */
async function requireWhole({ store, authority, caller }: IamContext, { uidp }: IdentityRecord): Promise<void> {
  for (const { role, scope } of await store.roleBindings.list(uidp)) {
    if (!isRole(role) || holdsAll(caller, roles[role], scope)) continue
    authority.refused(caller, 'identity.update', `${uidp} ${role} ${scope}`)
    throw new Fault('forbidden', `'${caller.name}' does not have the role ${role} that the identity has`, {
      fix: 'Ask somebody who has it.',
    })
  }
}

/**
 * What of an identity a match changes; null where it says what is so already.
 * @throws Fault `conflict` for a match of another kind of identity, `invalid-argument`
 */
function ruleOf(identity: IdentityRecord, match: IdentityUpdate['match']): IdentityChange | null {
  if (match === undefined) return null
  const { kind, issuer, subject, claims, audience } = identity
  const isSame = typeof match === 'object' && match.issuer === issuer && match.subject === subject
  const meant = match === 'secret' ? ['service', 'pull-token'] : match === 'any-user' ? [match] : ['oidc']
  if (!meant.includes(kind) && !(kind === 'user' && isSame)) {
    throw new Fault('conflict', `the identity ${identity.uidp} stays one of the kind ${kind}`, { fix: 'Make another.' })
  }
  if (typeof match === 'string' || kind === 'user') return null
  kindOf(false, match.issuer, match.subject, match.claims)
  issuerUrl(match.issuer ?? '')
  const wanted = { claims: parseClaims(match.claims ?? []), audience: match.audience ?? null }
  const isUnchanged = isSame && JSON.stringify(wanted) === JSON.stringify({ claims, audience })
  return isUnchanged ? null : { ...wanted, issuer: match.issuer ?? null, subject: match.subject ?? null }
}

function requireRoles({ authority, caller }: IamContext, wanted: readonly Role[], scope: Scope | Uidp): void {
  if (wanted.length === 0) return
  authority.authorize(caller, 'role_bindings.create', { scope })
  for (const role of wanted) {
    if (holdsAll(caller, roles[role], scope)) continue
    authority.refused(caller, 'role_bindings.create', `${role} ${scope}`)
    throw new Fault('forbidden', `'${caller.name}' does not have the role ${role} there, and cannot give it`, {
      fix: 'Ask somebody who has it.',
    })
  }
}

function kindOf(isForAnyUser: boolean, issuer?: string, subject?: string, claims: readonly string[] = []) {
  if (isForAnyUser && issuer !== undefined) {
    throw new Fault('invalid-argument', 'an identity is assumed by any user or by the tokens of an issuer, not by both')
  }
  if (issuer === undefined) {
    if (subject === undefined && claims.length === 0) return isForAnyUser ? 'any-user' : 'service'
    throw new Fault('invalid-argument', 'a subject and claims belong to an issuer', { fix: 'Add --issuer URL.' })
  }
  if (subject === undefined || /^[*?]/.test(subject)) {
    throw new Fault('invalid-argument', 'without the beginning of a subject everybody at that issuer would be let in', {
      fix: "Give --subject, for example 'repo:ORG/NAME:*'.",
    })
  }
  return 'oidc'
}

function parseClaims(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, pattern] = /^([\w.:/-]{1,100})=(.{1,500})$/.exec(text) ?? []
      if (name !== undefined && pattern !== undefined) return [name, pattern]
      throw new Fault('invalid-argument', `not a claim: '${oneLine(text.slice(0, 100))}'`, { fix: 'Write CLAIM=GLOB.' })
    }),
  )
}

function expiryOf(ttl: string, { clock }: IamContext): number {
  const ttlMs = parseDuration(ttl)
  if (ttlMs >= 1_000 && ttlMs <= longestTtlMs) return clock.now() + ttlMs
  throw new Fault('invalid-duration', `a lifetime lies between 1s and 366d: '${ttl}'`)
}
