import type { Host } from '../core/host.js'
import type { StoreContext } from './schema.js'
import type { HostStore } from './store.js'

/** See {@link HostStore}. */
export function createHostStore({ db, now }: StoreContext): HostStore {
  return {
    async load() {
      const rows = await db.selectFrom('hosts').select(['host', 'profile']).execute()
      return rows.map(({ host, profile }) => ({ host: host as Host, profile: JSON.parse(profile) as unknown }))
    },
    async save(host, profile) {
      const values = { profile: JSON.stringify(profile), learned_at: now() }
      await db
        .insertInto('hosts')
        .values({ host, ...values })
        .onConflict((conflict) => conflict.column('host').doUpdateSet(values))
        .execute()
    },
  }
}
