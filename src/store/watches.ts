import { sql } from 'kysely'
import { compareTexts } from '../core/compare-texts.js'
import { digestFromBytes } from '../core/digest.js'
import type { Host } from '../core/host.js'
import type { TagReference } from '../core/reference.js'
import { nothing, type Queries, type StoreContext } from './schema.js'
import type { TagReason, TagState, WatchedTag, WatchOptions, WatchOrigin, WatchRule, WatchStore } from './store.js'
import { ensureRepository, ensureTag, findTag } from './upstreams.js'

const rowsAtOnce = 5_000

/** See {@link WatchStore}. */
export function createWatchStore({ db, now }: StoreContext): WatchStore {
  return {
    add: (reference, options) => db.transaction().execute((trx) => add(trx, reference, options, now())),
    remove: (reference) =>
      db.transaction().execute(async (trx) => {
        const tag = await findTag(trx, reference)
        if (tag === undefined) return { removed: false }
        const seq = await raiseVersion(trx)
        const result = await trx
          .updateTable('watches')
          .set({ removed_at: now(), changed_seq: seq })
          .where('tag_id', '=', tag.id)
          .where('removed_at', 'is', null)
          .executeTakeFirst()
        return { removed: result.numUpdatedRows > 0n }
      }),
    async list() {
      const watches: WatchedTag[] = []
      // In parts: of 100,000 tags the rows take more memory than what is made of them, and V8 keeps what it once had.
      for (let after = 0; ; ) {
        const rows = await selectWatched(db)
          .select('watches.id')
          .where('watches.id', '>', after)
          .orderBy('watches.id')
          .limit(rowsAtOnce)
          .execute()
        for (const row of rows) watches.push(watchedOf(row, watches.at(-1)))
        if (rows.length < rowsAtOnce) return watches.sort(byReference)
        after = rows.at(-1)?.id ?? after
      }
    },
    async find(reference) {
      const tag = await findTag(db, reference)
      if (tag === undefined) return null
      const row = await selectWatched(db).where('tags.id', '=', tag.id).executeTakeFirst()
      return row === undefined ? null : watchedOf(row)
    },
    addRule: (rule) =>
      db.transaction().execute(async (trx) => {
        const { repositoryId } = await ensureRepository(trx, rule.repository, now())
        await raiseVersion(trx)
        const removed = await deleteRule(trx, repositoryId, rule.origin)
        await trx
          .insertInto('watch_rules')
          .values({
            repository_id: repositoryId,
            tags: JSON.stringify(rule.tags),
            exclude: JSON.stringify(rule.exclude),
            every_ms: rule.everyMs,
            is_analyzed: numberOf(rule.analyze),
            max_tags: rule.maxTags,
            origin: rule.origin,
          })
          .execute()
        return { added: !removed }
      }),
    removeRule: (repository, origin) =>
      db.transaction().execute(async (trx) => {
        const { repositoryId } = await ensureRepository(trx, repository, now())
        await raiseVersion(trx)
        return { removed: await deleteRule(trx, repositoryId, origin) }
      }),
    async listRules() {
      const rows = await db
        .selectFrom('watch_rules')
        .innerJoin('repositories', 'repositories.id', 'watch_rules.repository_id')
        .innerJoin('upstreams', 'upstreams.id', 'repositories.upstream_id')
        .selectAll('watch_rules')
        .select(['upstreams.host', 'upstreams.path', 'upstreams.lane_id'])
        .orderBy('upstreams.host')
        .orderBy('upstreams.path')
        .orderBy('watch_rules.origin')
        .execute()
      return rows.map(
        (row): WatchRule => ({
          id: row.id,
          laneId: row.lane_id,
          repository: { host: row.host as Host, path: row.path },
          tags: JSON.parse(row.tags) as string[],
          exclude: JSON.parse(row.exclude) as string[],
          everyMs: row.every_ms,
          analyze: booleanOf(row.is_analyzed),
          maxTags: row.max_tags,
          origin: row.origin as WatchRule['origin'],
        }),
      )
    },
    async version() {
      const row = await db.selectFrom('meta').select('value').where('key', '=', 'changed_seq').executeTakeFirstOrThrow()
      return Number(row.value)
    },
  }
}

async function add(
  trx: Queries,
  reference: TagReference,
  { everyMs, analyze = null, origin }: WatchOptions,
  now: number,
): Promise<{ added: boolean }> {
  const isAnalyzed = numberOf(analyze)
  const { repositoryId, upstreamId } = await ensureRepository(trx, reference, now)
  const tagId = await ensureTag(trx, upstreamId, reference.tag, now)
  const known = await trx
    .selectFrom('watches')
    .select(['id', 'removed_at', 'every_ms', 'is_analyzed', 'origin'])
    .where('repository_id', '=', repositoryId)
    .where('tag_id', '=', tagId)
    .executeTakeFirst()
  if (known === undefined) {
    const changedSeq = await raiseVersion(trx)
    const said = { every_ms: everyMs, is_analyzed: isAnalyzed, origin }
    const values = { repository_id: repositoryId, tag_id: tagId, ...said, created_at: now }
    await trx
      .insertInto('watches')
      .values({ ...values, changed_seq: changedSeq })
      .execute()
    return { added: true }
  }
  const isActive = known.removed_at === null
  // A rule only sees that the tag is there: what somebody declared for this very tag stays.
  if (isActive && origin === 'rule') return { added: false }
  const isSame = known.every_ms === everyMs && known.is_analyzed === isAnalyzed && known.origin === origin
  if (isActive && isSame) return { added: false }
  const changedSeq = await raiseVersion(trx)
  await trx
    .updateTable('watches')
    .set({
      every_ms: everyMs,
      is_analyzed: isAnalyzed,
      origin,
      removed_at: null,
      changed_seq: changedSeq,
      ...(!isActive && { created_at: now }),
    })
    .where('id', '=', known.id)
    .execute()
  return { added: !isActive }
}

/** Ends the rule of a repository with that origin. */
async function deleteRule(trx: Queries, repositoryId: number, origin: string): Promise<boolean> {
  const result = await trx
    .deleteFrom('watch_rules')
    .where('repository_id', '=', repositoryId)
    .where('origin', '=', origin)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Tells every process that watches or rules changed. */
export async function raiseVersion(trx: Queries): Promise<number> {
  const raised = await trx
    .updateTable('meta')
    .set({ value: sql<string>`cast(cast(value as bigint) + 1 as text)` })
    .where('key', '=', 'changed_seq')
    .returning('value')
    .executeTakeFirstOrThrow()
  return Number(raised.value)
}

/** SQLite has no booleans. */
function numberOf(value: boolean | null): number | null {
  return value === null ? null : Number(value)
}

function booleanOf(value: number | null): boolean | null {
  return value === null ? null : value === 1
}

function selectWatched(db: Queries) {
  return db
    .selectFrom('watches')
    .innerJoin('tags', 'tags.id', 'watches.tag_id')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .innerJoin('lanes', 'lanes.id', 'upstreams.lane_id')
    .leftJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .select(['tags.id as tag_id', 'upstreams.lane_id', 'upstreams.host', 'upstreams.path', 'tags.name'])
    .select(['watches.every_ms', 'watches.is_analyzed', 'watches.origin'])
    .select([
      'tags.state',
      'tags.reason',
      'tags.state_since',
      'tags.checked_at',
      'tags.moved_at',
      'tags.planned_ms',
      'upstreams.is_listed',
    ])
    .select(['lanes.watermark_at', 'manifests.digest', 'tags.manifest_id'])
    .where('watches.removed_at', 'is', null)
}

type WatchedRow = Awaited<ReturnType<ReturnType<typeof selectWatched>['execute']>>[number]

function byReference({ reference: a }: WatchedTag, { reference: b }: WatchedTag): number {
  return compareTexts(a.host, b.host) || compareTexts(a.path, b.path) || compareTexts(a.tag, b.tag)
}

/** @param other one whose host and path are taken where they are the same, so that they are in memory once */
function watchedOf(row: WatchedRow, other?: WatchedTag): WatchedTag {
  const host = other?.reference.host === row.host ? other.reference.host : (row.host as Host)
  const path = other?.reference.path === row.path ? other.reference.path : row.path
  return {
    tagId: row.tag_id,
    laneId: row.lane_id,
    reference: { host, path, tag: row.name },
    everyMs: row.every_ms,
    plannedMs: row.planned_ms,
    isListed: row.is_listed === 1,
    analyze: booleanOf(row.is_analyzed),
    origin: row.origin as WatchOrigin,
    state: row.state as TagState,
    reason: row.reason as TagReason | null,
    stateSince: row.state_since,
    digest: row.digest === null || row.manifest_id === nothing ? null : digestFromBytes(row.digest),
    movedAt: row.moved_at,
    checkedAt: row.checked_at,
    watermarkAt: row.watermark_at,
  }
}
