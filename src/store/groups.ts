import { Fault } from '../core/fault.js'
import { installation, newChildUidp, newOrganizationUidp, parentOf, type Uidp } from '../core/identity.js'
import type { GroupRecord, GroupStore } from './iam.js'
import type { Queries, StoreContext, Tables } from './schema.js'
import { orConflict } from './unique.js'

/** See {@link GroupStore}. */
export function createGroupStore({ db, now }: StoreContext): GroupStore {
  const find = async (trx: Queries, uidp: Uidp) => {
    const row = await trx.selectFrom('groups').selectAll().where('uidp', '=', uidp).executeTakeFirst()
    return row === undefined ? null : groupOf(row)
  }
  return {
    create: ({ parent, name, description, isPublic, uidp }) =>
      db.transaction().execute(async (trx) => {
        if (uidp !== undefined && parentOf(uidp) !== parent) {
          throw new Fault('invalid-argument', `the id ${uidp} does not lie directly below ${parent}`)
        }
        if (parent !== installation && (await find(trx, parent)) === null) {
          throw new Fault('not-found', `there is no group ${parent}`)
        }
        const row = {
          uidp: uidp ?? (parent === installation ? newOrganizationUidp() : newChildUidp(parent)),
          ...{ parent_uidp: parent, name, description, public: Number(isPublic), created_at: now() },
        }
        const taken = `there is a group '${name}' already, or one with that id`
        await orConflict(trx.insertInto('groups').values(row).execute(), taken)
        return groupOf(row)
      }),
    async list() {
      return (await db.selectFrom('groups').selectAll().orderBy('uidp').execute()).map(groupOf)
    },
    find: (uidp) => find(db, uidp),
    async findByName(name) {
      const query = db.selectFrom('groups').selectAll().where('parent_uidp', '=', installation)
      const row = await query.where('name', '=', name).executeTakeFirst()
      return row === undefined ? null : groupOf(row)
    },
    update: (uidp, { name, description, isPublic }) =>
      db.transaction().execute(async (trx) => {
        const change = {
          ...(name !== undefined && { name }),
          ...(description !== undefined && { description }),
          ...(isPublic !== undefined && { public: Number(isPublic) }),
        }
        if (Object.keys(change).length > 0) {
          const update = trx.updateTable('groups').set(change).where('uidp', '=', uidp)
          await orConflict(update.execute(), `there is a group '${name}' already`)
        }
        return await find(trx, uidp)
      }),
    remove: (uidp) =>
      db.transaction().execute(async (trx) => {
        const child = await trx.selectFrom('groups').select('uidp').where('parent_uidp', '=', uidp).executeTakeFirst()
        const full = `the group ${uidp} is not empty`
        if (child !== undefined) throw new Fault('conflict', full)
        await trx.deleteFrom('role_bindings').where('scope', '=', uidp).execute()
        const result = await orConflict(
          trx.deleteFrom('groups').where('uidp', '=', uidp).executeTakeFirst(),
          full,
        ).catch((error: unknown) => {
          // A row that still refers to it: its repositories and identities go first.
          if (error instanceof Fault && error.code === 'not-found') throw new Fault('conflict', full, { cause: error })
          throw error
        })
        return result.numDeletedRows > 0n
      }),
  }
}

function groupOf(row: Tables['groups']): GroupRecord {
  const { uidp, name, description, created_at: createdAt } = row
  return { uidp: uidp as Uidp, name, description, isPublic: row.public === 1, createdAt }
}
