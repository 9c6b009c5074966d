import type { StoredEvent } from './event-store.js'
import { eventOf, eventsAfter, latestEventId, selectEvents } from './events.js'
import type { Queries, StoreContext } from './schema.js'
import type { DeliveryRecord, DeliveryState, DeliveryStore, LeasedDelivery } from './store.js'

/** Events that one transaction fans out: a long absence is caught up in steps. */
const fanOutLimit = 500

/** See {@link DeliveryStore}. */
export function createDeliveryStore({ db, dialect, now }: StoreContext): DeliveryStore {
  const isLocking = dialect === 'postgres'
  return {
    setChannels: (kind, names) => db.transaction().execute((trx) => setChannels(trx, kind, names, now())),
    async fanOut(names, wants, at) {
      let count = 0
      for (const name of names) {
        count += await db.transaction().execute((trx) => fanOut(trx, name, wants, at, isLocking))
      }
      return count
    },
    lease: (names, options) => db.transaction().execute((trx) => lease(trx, names, options, isLocking)),
    async finish({ id, epoch }, outcome) {
      const result = await db
        .updateTable('deliveries')
        .set({
          state: outcome.state,
          lease_until: 0,
          fault: outcome.state === 'sent' ? null : outcome.fault,
          next_at: outcome.state === 'due' ? outcome.nextAt : null,
          done_at: outcome.state === 'due' ? null : outcome.at,
        })
        .where('id', '=', id)
        .where('lease_epoch', '=', epoch)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async nextDue(names) {
      if (names.length === 0) return null
      const row = await db
        .selectFrom('deliveries')
        .innerJoin('channels', 'channels.id', 'deliveries.channel_id')
        .select('deliveries.next_at')
        .where('deliveries.state', '=', 'due')
        .where('channels.name', 'in', names)
        .orderBy('deliveries.next_at')
        .limit(1)
        .executeTakeFirst()
      return row?.next_at ?? null
    },
    async list({ state, channel, limit, before }) {
      let query = selectDeliveries(db).orderBy('deliveries.id', 'desc').limit(limit)
      if (state !== undefined) query = query.where('deliveries.state', '=', state)
      if (channel !== undefined) query = query.where('channels.name', '=', channel)
      if (before !== undefined) query = query.where('deliveries.id', '<', before)
      return (await query.execute()).map(deliveryOf)
    },
    async replay({ ids, channel }, at) {
      let query = db
        .updateTable('deliveries')
        .set({ state: 'due', attempts: 0, next_at: at, done_at: null, lease_until: 0 })
      if (ids !== undefined && ids.length > 0) query = query.where('id', 'in', ids)
      else query = query.where('state', '=', 'dead')
      if (channel !== undefined) {
        query = query.where('channel_id', 'in', (sub) =>
          sub.selectFrom('channels').select('id').where('name', '=', channel),
        )
      }
      const result = await query.executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
  }
}

async function setChannels(trx: Queries, kind: string, names: readonly string[], now: number): Promise<void> {
  const latest = await latestEventId(trx)
  for (const name of names) {
    await trx
      .insertInto('channels')
      .values({ kind, name, cursor_event_id: latest })
      .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet({ paused_at: null }))
      .execute()
  }
  const gone = trx
    .updateTable('channels')
    .set({ paused_at: now })
    .where('kind', '=', kind)
    .where('paused_at', 'is', null)
  await (names.length === 0 ? gone : gone.where('name', 'not in', names)).execute()
}

async function fanOut(
  trx: Queries,
  name: string,
  wants: (channel: string, event: StoredEvent) => boolean,
  at: number,
  isLocking: boolean,
): Promise<number> {
  const query = trx.selectFrom('channels').select(['id', 'cursor_event_id']).where('name', '=', name)
  const channel = await (isLocking ? query.forUpdate() : query).executeTakeFirst()
  if (channel === undefined) return 0
  const events = await eventsAfter(trx, channel.cursor_event_id, fanOutLimit)
  const last = events.at(-1)
  if (last === undefined) return 0
  let count = 0
  for (const event of events) {
    if (!wants(name, event)) continue
    count++
    await trx
      .insertInto('deliveries')
      .values({
        channel_id: channel.id,
        event_id: event.id,
        ...{ state: 'due', attempts: 0, next_at: at, lease_until: 0, lease_epoch: 0 },
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  await trx.updateTable('channels').set({ cursor_event_id: last.id }).where('id', '=', channel.id).execute()
  return count
}

async function lease(
  trx: Queries,
  names: readonly string[],
  { now, leaseMs, limit }: { now: number; leaseMs: number; limit: number },
  isLocking: boolean,
): Promise<LeasedDelivery[]> {
  if (names.length === 0) return []
  const query = trx
    .selectFrom('deliveries')
    .innerJoin('channels', 'channels.id', 'deliveries.channel_id')
    .select(['deliveries.id', 'deliveries.lease_epoch', 'deliveries.attempts'])
    .where('deliveries.state', '=', 'due')
    .where('deliveries.next_at', '<=', now)
    .where('deliveries.lease_until', '<=', now)
    .where('channels.name', 'in', names)
    .orderBy('deliveries.next_at')
    .orderBy('deliveries.id')
    .limit(limit)
  const due = await (isLocking ? query.forUpdate('deliveries').skipLocked() : query).execute()
  const leased: LeasedDelivery[] = []
  for (const { id, lease_epoch, attempts } of due) {
    const epoch = lease_epoch + 1
    await trx
      .updateTable('deliveries')
      .set({ lease_until: now + leaseMs, lease_epoch: epoch, attempts: attempts + 1 })
      .where('id', '=', id)
      .execute()
    const row = await selectDeliveries(trx).where('deliveries.id', '=', id).executeTakeFirstOrThrow()
    leased.push({ ...deliveryOf(row), epoch })
  }
  return leased
}

function selectDeliveries(db: Queries) {
  return selectEvents(db)
    .innerJoin('deliveries', 'deliveries.event_id', 'events.id')
    .innerJoin('channels', 'channels.id', 'deliveries.channel_id')
    .select(['deliveries.id', 'channels.name as channel', 'deliveries.state', 'deliveries.attempts'])
    .select(['deliveries.next_at', 'deliveries.fault'])
}

type DeliveryRow = Awaited<ReturnType<ReturnType<typeof selectDeliveries>['execute']>>[number]

function deliveryOf(row: DeliveryRow): DeliveryRecord {
  return {
    id: row.id,
    channel: row.channel,
    state: row.state as DeliveryState,
    attempts: row.attempts,
    nextAt: row.next_at,
    fault: row.fault,
    event: eventOf(row),
  }
}
