import type { RefreshRecord, SigningKeyRecord, TokenStore } from './iam.js'
import type { Queries, StoreContext, Tables } from './schema.js'

/** See {@link TokenStore}. */
export function createTokenStore({ db, now }: StoreContext): TokenStore {
  return {
    keys: () => keys(db),
    addKey: ({ slot, kid, privateJwk }, keepFrom) =>
      db.transaction().execute(async (trx) => {
        await trx
          .insertInto('signing_keys')
          .values({ slot, kid, private_jwk: privateJwk, created_at: now() })
          .onConflict((conflict) => conflict.column('slot').doNothing())
          .execute()
        await trx.deleteFrom('signing_keys').where('slot', '<', keepFrom).execute()
        return await keys(trx)
      }),
    async removeKeys() {
      await db.deleteFrom('signing_keys').execute()
    },
    addRefresh: (record) =>
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom('refresh_tokens').where('expires_at', '<=', now()).execute()
        const { hash, family, subject, audience, narrowed, expiresAt } = record
        const values = { hash, family, subject, audience: JSON.stringify(audience), narrowed, expires_at: expiresAt }
        await trx.insertInto('refresh_tokens').values(values).execute()
      }),
    useRefresh: (hash, at) =>
      db.transaction().execute(async (trx) => {
        // One of two that come at once finds it used: the update decides, not a read before it.
        const used = await trx
          .updateTable('refresh_tokens')
          .set({ used_at: at })
          .where('hash', '=', hash)
          .where('used_at', 'is', null)
          .returningAll()
          .executeTakeFirst()
        if (used !== undefined) return used.expires_at <= at ? 'unknown' : refreshOf(used)
        const family = await familyOf(trx, hash)
        if (family === null) return 'unknown'
        await trx.deleteFrom('refresh_tokens').where('family', '=', family).execute()
        return 'used'
      }),
    removeRefresh: (hash) =>
      db.transaction().execute(async (trx) => {
        const family = await familyOf(trx, hash)
        if (family !== null) await trx.deleteFrom('refresh_tokens').where('family', '=', family).execute()
      }),
    revoke: (tokenId, untilAt) =>
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom('revocations').where('until_at', '<=', now()).execute()
        await trx
          .insertInto('revocations')
          .values({ token_id: tokenId, until_at: untilAt })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }),
    async isRevoked(tokenId) {
      const query = db.selectFrom('revocations').select('token_id').where('token_id', '=', tokenId)
      return (await query.executeTakeFirst()) !== undefined
    },
  }
}

async function keys(db: Queries): Promise<readonly SigningKeyRecord[]> {
  const rows = await db.selectFrom('signing_keys').selectAll().orderBy('slot').execute()
  return rows.map(({ slot, kid, private_jwk: privateJwk }) => ({ slot, kid, privateJwk }))
}

async function familyOf(db: Queries, hash: Uint8Array): Promise<string | null> {
  const row = await db.selectFrom('refresh_tokens').select('family').where('hash', '=', hash).executeTakeFirst()
  return row?.family ?? null
}

function refreshOf(row: Tables['refresh_tokens']): RefreshRecord {
  const { hash, family, subject, narrowed, expires_at: expiresAt } = row
  return { hash, family, subject, audience: JSON.parse(row.audience) as string[], narrowed, expiresAt }
}
