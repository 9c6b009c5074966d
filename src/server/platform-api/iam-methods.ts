import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Fault, oneLine } from '../../core/fault.js'
import { installation, type Scope } from '../../core/identity.js'
import { matchesUidpFilter } from '../../core/uidp-filter.js'
import {
  createGroup,
  deleteGroup,
  listGroups,
  refuseNobody,
  requireScope,
  updateGroup,
} from '../../flows/iam-groups.js'
import {
  createIdentity,
  createRoleBinding,
  deleteIdentity,
  deleteRoleBinding,
  listIdentities,
  listRoleBindings,
  updateIdentity,
  updateRoleBinding,
} from '../../flows/iam-identities.js'
import { findRole, type RoleRecord, roleRecords } from '../../iam/role-records.js'
import type { GroupRecord, IdentityRecord, RoleBindingRecord } from '../../store/iam.js'
import { claimMatchOf, readClaimMatch } from './claim-match.js'
import {
  type GroupSchema,
  Groups,
  Identities,
  type Identity,
  type IdentitySchema,
  OrgStatus,
  type RoleBindingList_BindingSchema,
  type RoleBindingSchema,
  RoleBindings,
  type RoleSchema,
  Roles,
} from './generated/iam_pb.js'
import { defineMethod, type PlatformCall, type PlatformMethod } from './method.js'

/** A record and its place, as every list filters them. */
interface Filter {
  readonly id: string
  readonly uidp?: Parameters<typeof matchesUidpFilter>[1]
}

/** chainguard.platform.iam: Groups, Identities, Roles, RoleBindings. */
export const iamMethods: readonly PlatformMethod[] = [...groupMethods(), ...identityMethods(), ...bindingMethods()]

function groupMethods(): PlatformMethod[] {
  const rpc = Groups.method
  return [
    defineMethod(rpc.list, [{ verb: 'GET', path: '/iam/v1/groups' }], async (filter, call) => {
      const visible = await listGroups(call)
      refuseNobody(call, 'groups.list', visible.length)
      const found = visible.filter((group) => isWanted(group, filter) && isNamed(group, filter.name))
      return { items: found.map(groupOf) }
    }),
    defineMethod(
      rpc.create,
      [{ verb: 'POST', path: '/iam/v1/groups/{parent=**}', body: 'group' }],
      async ({ parent, group }, call) => {
        const scope = await requireScope(call, parent || installation, 'groups.create')
        // An id that is given is taken: an extension, for whoever moves an organization here.
        const { name = '', description = '', id = '' } = group ?? {}
        return groupOf(await createGroup(call, { name, description, parent: scope, id: id === '' ? undefined : id }))
      },
    ),
    defineMethod(rpc.update, [{ verb: 'PUT', path: '/iam/v1/groups/{id=**}', body: '*' }], async (group, call) =>
      groupOf(await updateGroup(call, group)),
    ),
    defineMethod(rpc.delete, [{ verb: 'DELETE', path: '/iam/v1/groups/{id=**}' }], async ({ id }, call) => {
      await deleteGroup(call, id)
      return {}
    }),
  ]
}

function identityMethods(): PlatformMethod[] {
  const rpc = Identities.method
  const list = async (call: PlatformCall) => {
    const visible = await listIdentities(call)
    refuseNobody(call, 'identity.list', visible.length)
    return visible
  }
  return [
    defineMethod(rpc.list, [{ verb: 'GET', path: '/iam/v1/identities' }], async (filter, call) => {
      const found = (await list(call)).filter((identity) => isWanted(identity, filter))
      return { items: found.map((identity) => identityOf(identity, call)) }
    }),
    defineMethod(
      rpc.lookup,
      [{ verb: 'GET', path: '/iam/v1/identities/lookup' }],
      async ({ issuer, subject }, call) => {
        const found = (await list(call)).find((entry) => entry.issuer === issuer && entry.subject === subject)
        if (found === undefined) throw new Fault('not-found', 'there is no such identity that you may see')
        return identityOf(found, call)
      },
    ),
    defineMethod(
      rpc.create,
      [{ verb: 'POST', path: '/iam/v1/identities/{parent_id=**}', body: 'identity' }],
      async ({ parentId, identity }, call) => {
        const { name = '', description = '' } = identity ?? {}
        const match = matchOf(identity, call)
        if (match === undefined) {
          throw new Fault('invalid-argument', 'nobody could assume the identity: its relationship is missing', {
            fix: 'Give claimMatch; one with a secret of its own is made with `tidemark iam identity create`.',
          })
        }
        const who = match === 'any-user' ? { isForAnyUser: true } : match
        const made = await createIdentity(call, { ...who, name, description, group: parentId, roles: [] })
        return identityOf(made.identity, call)
      },
    ),
    defineMethod(
      rpc.update,
      [{ verb: 'PUT', path: '/iam/v1/identities/{id=**}', body: '*' }],
      async (identity, call) => {
        const { id, name, description } = identity
        const match = identity.relationship.case === 'static' ? 'secret' : matchOf(identity, call)
        return identityOf(await updateIdentity(call, { id, name, description, match }), call)
      },
    ),
    defineMethod(rpc.delete, [{ verb: 'DELETE', path: '/iam/v1/identities/{id=**}' }], async ({ id }, call) => {
      await deleteIdentity(call, id)
      return {}
    }),
  ]
}

function bindingMethods(): PlatformMethod[] {
  const rpc = RoleBindings.method
  return [
    defineMethod(Roles.method.list, [{ verb: 'GET', path: '/iam/v1/roles' }], async (filter, call) => {
      refuseNobody(call, 'roles.list', 0)
      const found = roleRecords.filter((role) => isWanted(role, filter) && isNamed(role, filter.name))
      return { items: found.map(roleMessage) }
    }),
    defineMethod(rpc.list, [{ verb: 'GET', path: '/iam/v1/rolebindings' }], async (filter, call) => {
      const visible = await listRoleBindings(call)
      refuseNobody(call, 'role_bindings.list', visible.length)
      const found = visible.filter((binding) => isWanted(binding, filter))
      return { items: await Promise.all(found.map((binding) => shownBinding(binding, call))) }
    }),
    defineMethod(
      rpc.create,
      [{ verb: 'POST', path: '/iam/v1/rolebindings/{parent=**}', body: 'role_binding' }],
      async ({ parent, roleBinding }, call) => {
        const { identity = '', role = '' } = roleBinding ?? {}
        return bindingOf(await createRoleBinding(call, { identity, role: requireRole(role), group: parent }))
      },
    ),
    defineMethod(
      rpc.update,
      [{ verb: 'PUT', path: '/iam/v1/rolebindings/{id=**}', body: '*' }],
      async ({ id, identity, role }, call) =>
        bindingOf(await updateRoleBinding(call, { id, identity, role: role === '' ? '' : requireRole(role) })),
    ),
    defineMethod(rpc.delete, [{ verb: 'DELETE', path: '/iam/v1/rolebindings/{id=**}' }], async ({ id }, call) => {
      await deleteRoleBinding(call, id)
      return {}
    }),
  ]
}

function isWanted({ uidp }: { readonly uidp: GroupRecord['uidp'] }, filter: Filter): boolean {
  return (filter.id === '' || filter.id === uidp) && matchesUidpFilter(uidp, filter.uidp ?? {})
}

function isNamed({ name }: { readonly name: string }, wanted: string): boolean {
  return wanted === '' || wanted === name
}

/** A group as the API has it. Nothing is limited here, and nobody's name is verified. */
function groupOf({ uidp, name, description }: GroupRecord): MessageInitShape<typeof GroupSchema> {
  return { id: uidp, name, description, status: OrgStatus.READY }
}

/** What a role is on, as the API has it; the installation is no group. */
export function scopeOf(scope: Scope, group: GroupRecord | null): MessageInitShape<typeof GroupSchema> {
  return group === null ? { id: scope, name: scope } : groupOf(group)
}

/** A role as the API has it. */
export function roleMessage({
  uidp,
  name,
  description,
  capabilities,
}: RoleRecord): MessageInitShape<typeof RoleSchema> {
  return { id: uidp, name, description, capabilities: [...capabilities] }
}

/** One with a secret is shown with the static keys of our own issuer: what tells when it expires. */
function identityOf(identity: IdentityRecord, { authority }: PlatformCall): MessageInitShape<typeof IdentitySchema> {
  const { uidp, name, description, kind, createdAt, expiresAt } = identity
  const { issuer } = authority.addresses()
  const expiration = expiresAt === null ? {} : { expiration: timestampFromMs(expiresAt) }
  const isSecret = kind === 'service' || kind === 'pull-token'
  return {
    ...{ id: uidp, name, description, createdAt: timestampFromMs(createdAt) },
    relationship: isSecret
      ? { case: 'static', value: { issuer, subject: uidp, ...expiration } }
      : { case: 'claimMatch', value: claimMatchOf(identity, issuer) },
  }
}

function matchOf(identity: Identity | undefined, { authority }: PlatformCall) {
  const relationship = identity?.relationship
  switch (relationship?.case) {
    case 'claimMatch':
      return readClaimMatch(relationship.value, authority.addresses().issuer)
    case undefined:
      return undefined
    default:
      throw new Fault('not-implemented', `identities with ${relationship?.case} are not made here`)
  }
}

function bindingOf({ uidp, identity, scope, role }: RoleBindingRecord): MessageInitShape<typeof RoleBindingSchema> {
  return { id: uidp, identity, group: scope, role: findRole(role)?.uidp ?? role }
}

async function shownBinding(
  binding: RoleBindingRecord,
  { store }: PlatformCall,
): Promise<MessageInitShape<typeof RoleBindingList_BindingSchema>> {
  const { uidp, identity, scope, role, createdAt } = binding
  const group = scope === installation ? null : await store.groups.find(scope)
  const holder = await store.identities.find(identity)
  const record = findRole(role)
  return {
    ...{ id: uidp, identity, createdAt: timestampFromMs(createdAt) },
    group: scopeOf(scope, group),
    role: record === undefined ? { name: role } : roleMessage(record),
    ...{ claimMatchIssuer: holder?.issuer ?? '', claimMatchSubject: holder?.subject ?? '' },
  }
}

function requireRole(text: string): RoleRecord['name'] {
  const role = findRole(text)
  if (role !== undefined) return role.name
  throw new Fault('invalid-argument', `there is no role '${oneLine(text.slice(0, 80))}'`, {
    fix: `Give the id or the name of one: ${roleRecords.map(({ name }) => name).join(', ')}.`,
  })
}
