import type { AuditStore } from './iam.js'
import type { StoreContext } from './schema.js'

/** Lines that stay: some 25 MB. */
const keptLines = 100_000
/** So many appended lines are looked at together when old ones are forgotten: not each time. */
const pruneEvery = 256

/** See {@link AuditStore}. */
export function createAuditStore({ db }: StoreContext): AuditStore {
  // The first time at once: a command appends once in its life.
  let appended = pruneEvery
  return {
    append: (records) =>
      db.transaction().execute(async (trx) => {
        if (records.length === 0) return
        await trx
          .insertInto('audit')
          .values([...records])
          .execute()
        appended += records.length
        if (appended < pruneEvery) return
        appended = 0
        const newest = await trx.selectFrom('audit').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
        await trx
          .deleteFrom('audit')
          .where('id', '<=', (newest?.id ?? 0) - keptLines)
          .execute()
      }),
    async list({ limit, before }) {
      const query = db.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(limit)
      const rows = await (before === undefined ? query : query.where('id', '<', before)).execute()
      return rows.map((row) => ({ ...row, outcome: row.outcome as 'granted' | 'refused' }))
    },
  }
}
