import { sql } from 'kysely'
import { digestFromBytes } from '../core/digest.js'
import { type HistoryEntry, kindAfter, momentOf } from '../core/history.js'
import type { Host } from '../core/host.js'
import { appendEvent } from './events.js'
import { requireLease } from './lanes.js'
import { digestOfManifest, putManifest } from './manifests.js'
import { type Database, nothing, type Queries, type SqlDialect, type StoreContext } from './schema.js'
import { settledEntry, settleMoves, takeSettling, waitToSettle } from './settling.js'
import type { Move, StateChange, TagState } from './store.js'
import type { RecordedMove, TagStore } from './tag-store.js'
import { findTag } from './upstreams.js'

/** See {@link TagStore}. */
export function createTagStore({ db, dialect, now }: StoreContext): TagStore {
  return {
    async find(reference) {
      const row = await findTag(db, reference)
      if (row === undefined) return null
      const digest = await digestOfManifest(db, row.manifest_id)
      return { tagId: row.id, state: row.state as TagState, digest, historyVersion: row.history_version }
    },
    historyVersion: historyVersionOf(db),
    recordMove: (lease, move) =>
      db.transaction().execute(async (trx) => {
        await requireLease(trx, lease, dialect)
        return await recordMove(trx, move, dialect, now())
      }),
    recordStates: (lease, changes) =>
      db.transaction().execute(async (trx) => {
        await requireLease(trx, lease, dialect)
        for (const change of changes) await recordState(trx, change)
      }),
    settle: (lease, now) =>
      db.transaction().execute(async (trx) => {
        await requireLease(trx, lease, dialect)
        return await settleMoves(trx, dialect, lease.laneId, now)
      }),
    async nextSettleAt(laneIds) {
      if (laneIds.length === 0) return null
      const row = await db
        .selectFrom('settling')
        .innerJoin('tags', 'tags.id', 'settling.tag_id')
        .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
        .select('settling.until_at')
        .where('upstreams.lane_id', 'in', laneIds)
        .orderBy('settling.until_at')
        .limit(1)
        .executeTakeFirst()
      return row?.until_at ?? null
    },
    async watched(repository) {
      const all = selectShown(db)
      const wanted =
        repository === undefined
          ? all
          : all.where('upstreams.host', '=', repository.host).where('upstreams.path', '=', repository.path)
      const rows = await wanted.orderBy('upstreams.host').orderBy('upstreams.path').orderBy('tags.name').execute()
      return rows.map(({ host, path, name, digest, moved_at: movedAt }) => ({
        ...{ repository: { host: host as Host, path }, name, digest: digestFromBytes(digest), movedAt: movedAt ?? 0 },
      }))
    },
    async nameOf({ host, path }, suid) {
      const row = await db
        .selectFrom('tags')
        .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
        .select('tags.name')
        .where('upstreams.host', '=', host)
        .where('upstreams.path', '=', path)
        .where('tags.suid', '=', suid)
        .executeTakeFirst()
      return row?.name ?? null
    },
  }
}

function selectShown(db: Database) {
  return db
    .selectFrom('tags')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['upstreams.host', 'upstreams.path', 'tags.name', 'tags.moved_at', 'manifests.digest'])
    .where('tags.manifest_id', '<>', nothing)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('watches')
          .select('watches.id')
          .whereRef('watches.tag_id', '=', 'tags.id')
          .where('watches.removed_at', 'is', null),
      ),
    )
}

/** Compiled once: it is asked before each answer that is kept, where compiling would take most of the time. */
function historyVersionOf(db: Database): TagStore['historyVersion'] {
  const compiled = db
    .selectFrom('tags')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .select('tags.history_version')
    .where('upstreams.host', '=', 'the host')
    .where('upstreams.path', '=', 'the path')
    .where('upstreams.credential', '=', '')
    .where('tags.name', '=', 'the tag')
    .compile()
  return async ({ host, path, tag }) => {
    const given = new Map<unknown, string>([
      ['the host', host],
      ['the path', path],
      ['the tag', tag],
    ])
    const parameters = compiled.parameters.map((value) => given.get(value) ?? value)
    const query: typeof compiled = { ...compiled, parameters }
    const { rows } = await db.executeQuery(query)
    return rows[0]?.history_version ?? null
  }
}

async function recordMove(trx: Queries, move: Move, dialect: SqlDialect, now: number): Promise<RecordedMove | null> {
  const { tagId, manifest, seenAt, notBefore, pushedAt } = move
  const manifestId = manifest === null ? nothing : await putManifest(trx, manifest, now)
  const newest = await trx
    .selectFrom('history')
    .select(['at', 'manifest_id'])
    .where('tag_id', '=', tagId)
    .orderBy('at', 'desc')
    .orderBy('manifest_id', 'desc')
    .limit(1)
    .executeTakeFirst()
  // The newest entry decides, not the tag's row: an import may have brought what we are about to say.
  const isSame = newest === undefined ? manifest === null : newest.manifest_id === manifestId
  if (isSame) {
    await recordState(trx, stateAfter(move))
    return null
  }
  const wasThere =
    newest !== undefined &&
    (await trx
      .selectFrom('history')
      .select('at')
      .where('tag_id', '=', tagId)
      .where('manifest_id', '=', manifestId)
      .limit(1)
      .executeTakeFirst()) !== undefined
  const previousDigest = newest === undefined ? undefined : await digestOfManifest(trx, newest.manifest_id)
  const digest = manifest?.digest ?? null
  const moment = momentOf(seenAt, notBefore, pushedAt)
  const entry: HistoryEntry = {
    digest,
    // Clocks go back; the order in which things were seen does not.
    at: newest === undefined ? moment : Math.max(moment, newest.at + 1),
    ...{ seenAt, notBefore, pushedAt, source: 'head', changes: move.changes },
    kind: kindAfter(previousDigest, digest, wasThere),
  }
  await trx
    .insertInto('history')
    .values(rowOf(tagId, manifestId, entry))
    .execute()
  await trx
    .updateTable('tags')
    .set({
      manifest_id: manifestId,
      moved_at: entry.at,
      first_seen_at: sql<number>`coalesce(first_seen_at, ${seenAt})`,
      history_version: sql<number>`history_version + 1`,
    })
    .where('id', '=', tagId)
    .execute()
  await recordState(trx, stateAfter(move))
  const fromManifestId = newest?.manifest_id ?? null
  if (move.settlesAt != null) {
    await waitToSettle(trx, { tagId, seenAt, fromManifestId, settlesAt: move.settlesAt })
    return { entry, eventId: null }
  }
  const waited = await takeSettling(trx, tagId)
  const from = waited === undefined ? fromManifestId : waited.from_manifest_id
  const told = waited === undefined ? entry : await settledEntry(trx, entry, from, manifestId)
  const event = { tagId, at: seenAt, entry: told, previousDigest: await digestOfManifest(trx, from) }
  return { entry, eventId: await appendEvent(trx, dialect, event) }
}

function stateAfter({ tagId, seenAt, lookedAt = seenAt, manifest }: Move): StateChange {
  const looked = { tagId, at: seenAt, lookedAt, lastKnownAt: null }
  return manifest === null
    ? { ...looked, state: 'absent', reason: 'not-found' }
    : { ...looked, state: 'present', reason: null }
}

function rowOf(tagId: number, manifestId: number, entry: HistoryEntry) {
  return {
    tag_id: tagId,
    at: entry.at,
    manifest_id: manifestId,
    kind: entry.kind,
    changes: entry.changes.length === 0 ? null : entry.changes.join(','),
    source: entry.source,
    not_before: entry.notBefore,
    seen_at: entry.seenAt,
    pushed_at: entry.pushedAt,
  }
}

/** A tag that cannot be asked opens a gap from when it last could; one that answers again closes it. */
async function recordState(
  trx: Queries,
  { tagId, state, reason, at, lookedAt = at, lastKnownAt }: StateChange,
): Promise<void> {
  const open = await trx
    .selectFrom('gaps')
    .select(['id', 'reason', 'from_at'])
    .where('tag_id', '=', tagId)
    .where('to_at', 'is', null)
    .executeTakeFirst()
  const isOther = open !== undefined && (state !== 'unknown' || open.reason !== reason)
  if (isOther)
    await trx
      .updateTable('gaps')
      .set({ to_at: Math.max(at, open.from_at) })
      .where('id', '=', open.id)
      .execute()
  if (state === 'unknown' && (open === undefined || isOther)) {
    const from = open === undefined ? (lastKnownAt ?? at) : Math.max(at, open.from_at)
    await trx
      .insertInto('gaps')
      .values({ tag_id: tagId, from_at: from, reason: reason ?? 'unknown' })
      .execute()
  }
  await trx.updateTable('tags').set({ checked_at: lookedAt }).where('id', '=', tagId).execute()
  await trx
    .updateTable('tags')
    .set({ state, reason, state_since: at })
    .where('id', '=', tagId)
    .where((where) =>
      where.or([where('state', '<>', state), where(sql<string>`coalesce(reason, '')`, '<>', reason ?? '')]),
    )
    .execute()
}
