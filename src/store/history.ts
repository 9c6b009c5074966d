import { sql } from 'kysely'
import { digestFromBytes } from '../core/digest.js'
import {
  type HistoryChange,
  type HistoryClaim,
  type HistoryEntry,
  type HistoryKind,
  type HistoryMoment,
  type HistorySource,
  kindsOf,
  mergeClaims,
} from '../core/history.js'
import type { TagReference } from '../core/reference.js'
import { nameManifest } from './manifests.js'
import { intervalOf } from './plans.js'
import { nothing, type Queries, type StoreContext } from './schema.js'
import type { HistoryRange, HistoryStore } from './store.js'
import { ensureRepository, ensureTag, findTag } from './upstreams.js'

/** See {@link HistoryStore}. */
export function createHistoryStore({ db, now }: StoreContext): HistoryStore {
  return {
    async page(reference, range) {
      const tag = await findTag(db, reference)
      return tag === undefined ? null : await readPage(db, tag.id, range)
    },
    async gaps(reference, { start, end }, defaultEveryMs) {
      const tag = await findTag(db, reference)
      if (tag === undefined) return []
      const watch = await db
        .selectFrom('watches')
        .innerJoin('tags', 'tags.id', 'watches.tag_id')
        .select(['watches.created_at', 'watches.every_ms', 'tags.planned_ms'])
        .where('tag_id', '=', tag.id)
        .executeTakeFirst()
      const everyMs = intervalOf(watch?.every_ms ?? null, watch?.planned_ms ?? null) ?? defaultEveryMs
      const rows = await db
        .selectFrom('gaps')
        .select(['from_at', 'to_at', 'reason'])
        .where(({ or, and, eb }) =>
          or([
            eb('tag_id', '=', tag.id),
            // What befell the host before anybody watched the tag there is not the tag's.
            and([
              eb('lane_id', '=', tag.lane_id),
              eb('to_at', '>', watch?.created_at ?? Number.MAX_SAFE_INTEGER),
              eb(sql<number>`to_at - from_at`, '>', everyMs),
            ]),
          ]),
        )
        .where((where) =>
          start === undefined ? where.lit(true) : where.or([where('to_at', 'is', null), where('to_at', '>=', start)]),
        )
        .where('from_at', '<', end ?? Number.MAX_SAFE_INTEGER)
        .orderBy('from_at')
        .execute()
      return rows.map(({ from_at, to_at, reason }) => ({ from: from_at, to: to_at, reason }))
    },
    async at(reference, timeMs) {
      const tag = await findTag(db, reference)
      if (tag === undefined) return null
      const row = await selectEntries(db, tag.id, 'desc').where('history.at', '<=', timeMs).limit(1).executeTakeFirst()
      return row === undefined ? null : entryOf(row)
    },
    async back(reference, steps) {
      const tag = await findTag(db, reference)
      if (tag === undefined) return null
      const row = await selectEntries(db, tag.id, 'desc').limit(1).offset(steps).executeTakeFirst()
      return row === undefined ? null : entryOf(row)
    },
    merge: (reference, claims, source) =>
      db.transaction().execute((trx) => merge(trx, reference, claims, source, now())),
  }
}

async function readPage(db: Queries, tagId: number, range: HistoryRange) {
  const { start, end, limit, order, after, withoutRemovals = false } = range
  let query = selectEntries(db, tagId, order)
  if (withoutRemovals) query = query.where('history.manifest_id', '<>', nothing)
  if (start !== undefined) query = query.where('history.at', '>=', start)
  if (end !== undefined) query = query.where('history.at', '<', end)
  if (after !== undefined) {
    const beyond = order === 'asc' ? '>' : '<'
    query = query.where(({ or, and, eb }) =>
      or([
        eb('history.at', beyond, after.at),
        and([eb('history.at', '=', after.at), eb('history.manifest_id', beyond, after.id)]),
      ]),
    )
  }
  const rows = await query.limit(limit + 1).execute()
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last !== undefined ? { at: last.at, id: last.manifest_id } : null
  return { entries: shown.map(entryOf), next }
}

/** Entries of a tag with their digests. */
export function selectEntries(db: Queries, tagId: number, order: 'asc' | 'desc') {
  return db
    .selectFrom('history')
    .innerJoin('manifests', 'manifests.id', 'history.manifest_id')
    .selectAll('history')
    .select('manifests.digest')
    .where('history.tag_id', '=', tagId)
    .orderBy('history.at', order)
    .orderBy('history.manifest_id', order)
}

type EntryRow = Awaited<ReturnType<ReturnType<typeof selectEntries>['execute']>>[number]

/** A row of {@link selectEntries}, read. */
export function entryOf(row: EntryRow): HistoryEntry {
  return {
    digest: row.manifest_id === nothing ? null : digestFromBytes(row.digest),
    at: row.at,
    seenAt: row.seen_at,
    notBefore: row.not_before,
    pushedAt: row.pushed_at,
    source: row.source as HistorySource,
    kind: row.kind as HistoryKind,
    changes: row.changes === null ? [] : (row.changes.split(',') as HistoryChange[]),
  }
}

async function merge(
  trx: Queries,
  reference: TagReference,
  claims: readonly HistoryClaim[],
  source: 'import' | 'reported',
  now: number,
): Promise<{ inserted: number; dated: number }> {
  const { upstreamId } = await ensureRepository(trx, reference, now)
  const tagId = await ensureTag(trx, upstreamId, reference.tag, now)
  const existing = await selectEntries(trx, tagId, 'asc').execute()
  const { inserted, dated } = mergeClaims(existing.map(entryOf), claims, source)
  if (inserted.length === 0 && dated.length === 0) return { inserted: 0, dated: 0 }
  for (const { index, pushedAt, at } of dated) {
    const row = existing[index] as EntryRow
    await trx
      .updateTable('history')
      .set({ pushed_at: pushedAt, at })
      .where('tag_id', '=', tagId)
      .where('at', '=', row.at)
      .where('manifest_id', '=', row.manifest_id)
      .execute()
  }
  for (const moment of inserted) await insertClaim(trx, tagId, moment)
  await recomputeKinds(trx, tagId)
  await followNewest(trx, tagId)
  return { inserted: inserted.length, dated: dated.length }
}

async function insertClaim(trx: Queries, tagId: number, moment: HistoryMoment): Promise<void> {
  const manifestId = moment.digest === null ? nothing : await nameManifest(trx, moment.digest)
  await trx
    .insertInto('history')
    .values({
      tag_id: tagId,
      at: moment.at,
      manifest_id: manifestId,
      kind: 'moved',
      source: moment.source,
      pushed_at: moment.pushedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What an entry is depends on all before it. */
async function recomputeKinds(trx: Queries, tagId: number): Promise<void> {
  const rows = await selectEntries(trx, tagId, 'asc').execute()
  const kinds = kindsOf(rows.map((row) => entryOf(row).digest))
  for (const [index, row] of rows.entries()) {
    const kind = kinds[index] ?? 'moved'
    if (kind === row.kind) continue
    await trx
      .updateTable('history')
      .set({ kind })
      .where('tag_id', '=', tagId)
      .where('at', '=', row.at)
      .where('manifest_id', '=', row.manifest_id)
      .execute()
  }
}

async function followNewest(trx: Queries, tagId: number): Promise<void> {
  const newest = await selectEntries(trx, tagId, 'desc').limit(1).executeTakeFirst()
  await trx
    .updateTable('tags')
    .set({
      manifest_id: newest?.manifest_id ?? null,
      moved_at: newest?.at ?? null,
      history_version: sql<number>`history_version + 1`,
    })
    .where('id', '=', tagId)
    .execute()
}
