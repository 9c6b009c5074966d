import { compareManifests } from '../core/compare-manifests.js'
import type { HistoryChange, HistoryEntry } from '../core/history.js'
import { readManifest } from '../core/manifest.js'
import { getContent } from './content.js'
import { appendEvent } from './events.js'
import { entryOf, selectEntries } from './history.js'
import { digestOfManifest } from './manifests.js'
import type { Queries, SqlDialect } from './schema.js'

/** Lets the event of a move wait; one that waits already keeps where it came from, and waits on. */
export async function waitToSettle(
  trx: Queries,
  move: { tagId: number; seenAt: number; fromManifestId: number | null; settlesAt: number },
): Promise<void> {
  const { tagId, seenAt, fromManifestId, settlesAt } = move
  const values = { tag_id: tagId, from_manifest_id: fromManifestId, began_at: seenAt, until_at: settlesAt }
  await trx
    .insertInto('settling')
    .values(values)
    .onConflict((conflict) => conflict.column('tag_id').doUpdateSet({ until_at: settlesAt }))
    .execute()
}

/** Ends the wait of a tag, if there is one. */
export async function takeSettling(trx: Queries, tagId: number) {
  return await trx
    .deleteFrom('settling')
    .where('tag_id', '=', tagId)
    .returning(['from_manifest_id', 'began_at'])
    .executeTakeFirst()
}

/** Tells of each move of a lane whose wait is over: one event, from where the tag was to where it is, which may be the same: somebody may have pulled what it was between. */
export async function settleMoves(trx: Queries, dialect: SqlDialect, laneId: number, now: number): Promise<number> {
  const due = await trx
    .selectFrom('settling')
    .innerJoin('tags', 'tags.id', 'settling.tag_id')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .select(['settling.tag_id', 'settling.from_manifest_id'])
    .where('upstreams.lane_id', '=', laneId)
    .where('settling.until_at', '<=', now)
    .orderBy('settling.until_at')
    .orderBy('settling.tag_id')
    .execute()
  const events: Parameters<typeof appendEvent>[2][] = []
  for (const { tag_id: tagId, from_manifest_id: from } of due) {
    await takeSettling(trx, tagId)
    const newest = await selectEntries(trx, tagId, 'desc').limit(1).executeTakeFirst()
    if (newest === undefined) continue
    const entry = await settledEntry(trx, entryOf(newest), from, newest.manifest_id)
    events.push({ tagId, at: now, entry, previousDigest: await digestOfManifest(trx, from) })
  }
  // Last: from the first event on, the lock of all events is held.
  for (const event of events) await appendEvent(trx, dialect, event)
  return events.length
}

/** The entry as the event tells it: with what changed since before the first of the moves. */
export async function settledEntry(
  trx: Queries,
  entry: HistoryEntry,
  fromManifestId: number | null,
  toManifestId: number,
): Promise<HistoryEntry> {
  const [from, to] = await Promise.all([manifestOf(trx, fromManifestId), manifestOf(trx, toManifestId)])
  const changes: readonly HistoryChange[] = from === null || to === null ? entry.changes : compareManifests(from, to)
  return { ...entry, changes }
}

async function manifestOf(trx: Queries, id: number | null) {
  if (id === null) return null
  const row = await trx
    .selectFrom('manifests')
    .select(['media_type', 'content_id'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined || row.content_id === null) return null
  return readManifest(await getContent(trx, row.content_id), row.media_type)
}
