import { sql } from 'kysely'
import { type Digest, digestOf, digestToBytes } from '../core/digest.js'
import type { HistoryEntry, HistoryKind } from '../core/history.js'
import type { Host } from '../core/host.js'
import { putContent } from './content.js'
import type { EventStore, ImageEventBody, StoredEvent } from './event-store.js'
import { advisoryLocks } from './migrate.js'
import type { Queries, SqlDialect, StoreContext } from './schema.js'

/** See {@link EventStore}. */
export function createEventStore({ db, dialect, now }: StoreContext): EventStore {
  return {
    tellOfImage: (tagId, body) =>
      db.transaction().execute(async (trx) => {
        const isFirst = await markTold(trx, tagId, body, now())
        if (isFirst) await append(trx, dialect, { tagId, at: now(), type: 'image.newly-known', body })
        return isFirst
      }),
    after: (id, limit) => eventsAfter(db, id, limit),
    latestId: () => latestEventId(db),
  }
}

/** The highest id; 0 when there is none. */
export async function latestEventId(db: Queries): Promise<number> {
  const row = await db.selectFrom('events').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return row?.id ?? 0
}

/** See {@link EventStore.after}. */
export async function eventsAfter(db: Queries, id: number, limit: number): Promise<StoredEvent[]> {
  const rows = await selectEvents(db).where('events.id', '>', id).orderBy('events.id').limit(limit).execute()
  return rows.map(eventOf)
}

/** Events with all that is shown of them. */
export function selectEvents(db: Queries) {
  return db
    .selectFrom('events')
    .innerJoin('tags', 'tags.id', 'events.tag_id')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .select(['events.id as event_id', 'events.at as event_at', 'events.type', 'events.body'])
    .select(['upstreams.host', 'upstreams.path', 'tags.name as tag_name'])
}

/** A row of {@link selectEvents}, read. */
export function eventOf(row: {
  event_id: number
  event_at: number
  type: string
  body: string
  host: string
  path: string
  tag_name: string
}): StoredEvent {
  const { event_id: id, event_at: at, type } = row
  const reference = { host: row.host as Host, path: row.path, tag: row.tag_name }
  const body: unknown = JSON.parse(row.body)
  if (type === 'image.newly-known') return { id, at, type, reference, body: body as ImageEventBody }
  const { entry, previousDigest } = body as { entry: HistoryEntry; previousDigest: Digest | null }
  return { id, at, type: type as `tag.${HistoryKind}`, reference, entry, previousDigest }
}

/** A mark in the transaction that tells, so that of many processes one does. */
async function markTold(trx: Queries, tagId: number, body: ImageEventBody, now: number): Promise<boolean> {
  const mark = Buffer.from('told')
  const row = {
    digest: digestToBytes(body.digest),
    readers: `told:${tagId}:${body.snapshotId}`,
    content_id: await putContent(trx, digestOf(mark), mark, now),
    created_at: now,
  }
  const result = await trx
    .insertInto('inventories')
    .values(row)
    .onConflict((conflict) => conflict.columns(['digest', 'readers']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/**
 * Appends an event; the last thing that its transaction does. In PostgreSQL ids are given under a lock that is held to the
 * commit: with a sequence, a reader that has seen id 2 would never see an id 1 that is committed later.
 */
export async function appendEvent(
  trx: Queries,
  dialect: SqlDialect,
  event: { tagId: number; at: number; entry: HistoryEntry; previousDigest: Digest | null },
): Promise<number> {
  const { entry, previousDigest, tagId, at } = event
  return await append(trx, dialect, { tagId, at, type: `tag.${entry.kind}`, body: { entry, previousDigest } })
}

async function append(
  trx: Queries,
  dialect: SqlDialect,
  { tagId, at, type, body }: { tagId: number; at: number; type: string; body: object },
): Promise<number> {
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${advisoryLocks.events})`.execute(trx)
  const id = (await latestEventId(trx)) + 1
  await trx
    .insertInto('events')
    .values({ id, at, type, tag_id: tagId, body: JSON.stringify(body) })
    .execute()
  return id
}
