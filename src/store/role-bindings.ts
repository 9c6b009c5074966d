import { Fault } from '../core/fault.js'
import { installation, type Scope, type Uidp } from '../core/identity.js'
import type { RoleBindingRecord, RoleBindingStore } from './iam.js'
import { addBinding } from './identities.js'
import type { StoreContext, Tables } from './schema.js'
import { orConflict } from './unique.js'

/** See {@link RoleBindingStore}. */
export function createRoleBindingStore({ db, now }: StoreContext): RoleBindingStore {
  return {
    create: (binding) =>
      db.transaction().execute(async (trx) => {
        const { scope } = binding
        const isThere =
          scope === installation ||
          (await trx.selectFrom('groups').select('uidp').where('uidp', '=', scope).executeTakeFirst()) !== undefined
        if (!isThere) throw new Fault('not-found', `there is no group ${scope}`)
        return bindingOf(await addBinding(trx, binding, now()))
      }),
    async list(identity) {
      const query = db.selectFrom('role_bindings').selectAll().orderBy('uidp')
      const rows = await (identity === undefined ? query : query.where('identity_uidp', '=', identity)).execute()
      return rows.map(bindingOf)
    },
    async find(uidp) {
      const row = await db.selectFrom('role_bindings').selectAll().where('uidp', '=', uidp).executeTakeFirst()
      return row === undefined ? null : bindingOf(row)
    },
    update: (uidp, { identity, role }) =>
      db.transaction().execute(async (trx) => {
        const update = trx.updateTable('role_bindings').set({ identity_uidp: identity, role }).where('uidp', '=', uidp)
        const taken = `${identity} has the role ${role} there already`
        await orConflict(update.execute(), taken, `there is no identity ${identity}`)
        const row = await trx.selectFrom('role_bindings').selectAll().where('uidp', '=', uidp).executeTakeFirst()
        return row === undefined ? null : bindingOf(row)
      }),
    async remove(uidp) {
      const result = await db.deleteFrom('role_bindings').where('uidp', '=', uidp).executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}

function bindingOf(row: Tables['role_bindings']): RoleBindingRecord {
  return {
    uidp: row.uidp as Uidp,
    scope: row.scope as Scope,
    identity: row.identity_uidp as Uidp,
    role: row.role,
    createdAt: row.created_at,
  }
}
