import { sql } from 'kysely'
import type { Digest } from '../core/digest.js'
import type { HistoryEntry, HistoryKind } from '../core/history.js'
import type { Host } from '../core/host.js'
import { advisoryLocks } from './migrate.js'
import type { Queries, SqlDialect, StoreContext } from './schema.js'
import type { EventStore, StoredEvent } from './store.js'

/** See {@link EventStore}. */
export function createEventStore({ db }: StoreContext): EventStore {
  return {
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
  const { entry, previousDigest } = JSON.parse(row.body) as { entry: HistoryEntry; previousDigest: Digest | null }
  return {
    id: row.event_id,
    at: row.event_at,
    type: row.type as `tag.${HistoryKind}`,
    reference: { host: row.host as Host, path: row.path, tag: row.tag_name },
    entry,
    previousDigest,
  }
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
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${advisoryLocks.events})`.execute(trx)
  const id = (await latestEventId(trx)) + 1
  const body = JSON.stringify({ entry: event.entry, previousDigest: event.previousDigest })
  const values = { id, at: event.at, type: `tag.${event.entry.kind}`, tag_id: event.tagId, body }
  await trx.insertInto('events').values(values).execute()
  return id
}
