import { Fault } from '../core/fault.js'
import { newChildUidp, newOrganizationUidp, parentOf, type Uidp } from '../core/identity.js'
import type { IdentityKind, IdentityRecord, IdentityStore } from './iam.js'
import type { Queries, StoreContext, Tables } from './schema.js'
import { orConflict } from './unique.js'

/** See {@link IdentityStore}. */
export function createIdentityStore({ db, now }: StoreContext): IdentityStore {
  const first = async (query: { executeTakeFirst(): Promise<Tables['identities'] | undefined> }) => {
    const row = await query.executeTakeFirst()
    return row === undefined ? null : identityOf(row)
  }
  const select = () => db.selectFrom('identities').selectAll()
  return {
    create: (identity, bindings) =>
      db.transaction().execute(async (trx) => {
        const row = rowOf(identity, now())
        const taken = `there is an identity '${identity.name}' already, or one with that id`
        const missing = `there is no group ${identity.group}`
        await orConflict(trx.insertInto('identities').values(row).execute(), taken, missing)
        for (const binding of bindings) await addBinding(trx, { ...binding, identity: row.uidp as Uidp }, now())
        return identityOf(row)
      }),
    list: async () => (await select().orderBy('uidp').execute()).map(identityOf),
    find: (uidp) => first(select().where('uidp', '=', uidp)),
    findByHash: (secretHash) => first(select().where('secret_hash', '=', secretHash)),
    findUser: (issuer, subject) =>
      first(select().where('kind', '=', 'user').where('issuer', '=', issuer).where('subject', '=', subject)),
    update: (uidp, { claims, ...change }) =>
      db.transaction().execute(async (trx) => {
        const set = { ...change, ...(claims !== undefined && { claims: claimsText(claims) }) }
        if (Object.keys(set).length > 0) {
          const update = trx.updateTable('identities').set(set).where('uidp', '=', uidp)
          await orConflict(update.execute(), `there is an identity '${change.name}' already`)
        }
        return await first(trx.selectFrom('identities').selectAll().where('uidp', '=', uidp))
      }),
    remove: (uidp) =>
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom('refresh_tokens').where('subject', '=', uidp).execute()
        const result = await trx.deleteFrom('identities').where('uidp', '=', uidp).executeTakeFirst()
        return result.numDeletedRows > 0n
      }),
  }
}

/** Writes a binding, for whoever makes an identity with its roles. */
export async function addBinding(
  db: Queries,
  { scope, identity, role }: { scope: string; identity: Uidp; role: string },
  now: number,
): Promise<Tables['role_bindings']> {
  const uidp = scope === '/' ? newOrganizationUidp() : newChildUidp(scope as Uidp)
  const row = { uidp, scope, identity_uidp: identity, role, created_at: now }
  await orConflict(
    db.insertInto('role_bindings').values(row).execute(),
    `${identity} has the role ${role} there already`,
    `there is no identity ${identity}`,
  )
  return row
}

function rowOf(
  identity: Omit<IdentityRecord, 'uidp' | 'createdAt'> & { uidp?: Uidp | undefined },
  now: number,
): Tables['identities'] {
  const { uidp, group, kind } = identity
  // A person belongs to no organization: their id has one step.
  if (uidp !== undefined && kind !== 'user' && parentOf(uidp) !== group) {
    throw new Fault('invalid-argument', `the id ${uidp} does not lie directly below ${group}`)
  }
  return {
    uidp: uidp ?? (kind === 'user' ? newOrganizationUidp() : newChildUidp(group)),
    group_uidp: group,
    name: identity.name,
    description: identity.description,
    kind,
    issuer: identity.issuer,
    subject: identity.subject,
    claims: claimsText(identity.claims),
    audience: identity.audience,
    secret_hash: identity.secretHash,
    repository_uidp: identity.repository,
    created_at: now,
    expires_at: identity.expiresAt,
  }
}

function claimsText(claims: IdentityRecord['claims']): string | null {
  return Object.keys(claims).length === 0 ? null : JSON.stringify(claims)
}

function identityOf(row: Tables['identities']): IdentityRecord {
  return {
    uidp: row.uidp as Uidp,
    group: row.group_uidp as Uidp,
    name: row.name,
    description: row.description,
    kind: row.kind as IdentityKind,
    issuer: row.issuer,
    subject: row.subject,
    claims: row.claims === null ? {} : (JSON.parse(row.claims) as Record<string, string>),
    audience: row.audience,
    secretHash: row.secret_hash,
    repository: row.repository_uidp as Uidp | null,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
