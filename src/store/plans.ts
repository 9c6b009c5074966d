import { requireLease } from './lanes.js'
import type { StoreContext } from './schema.js'
import type { LaneLease } from './store.js'

/** What the planner learns from, and what it decided. */
export interface PlanStore {
  /**
   * When the tags of a lane were first seen, and when they moved since `sinceMs`: what rates of change are learned from. In the
   * order of tags and times.
   */
  moves(laneId: number, sinceMs: number): Promise<readonly PlannedMove[]>
  /** Until when a lane's host asked to be left alone, as its holder last wrote it; null when it did not. */
  pausedUntil(laneId: number): Promise<number | null>
  /**
   * Writes how often tags are looked at from now on, and which repositories are known by lists: only what differs from what is
   * written. The lane's watermark goes with it, in one transaction: by other intervals it means something else, and may lie further
   * back.
   * @throws Fault `lease-lost`
   */
  put(lease: LaneLease, plan: PlanChange, watermarkAt: number): Promise<void>
}

/** A line of a tag's history. */
export interface PlannedMove {
  readonly tagId: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Its first: since then its moves are known. */
  readonly isFirst: boolean
}

/** See {@link PlanStore.put}. */
export interface PlanChange {
  readonly tags: readonly { readonly tagId: number; readonly plannedMs: number }[]
  /** Paths of the lane's host. */
  readonly repositories: readonly { readonly path: string; readonly isListed: boolean }[]
}

/** How often a tag is looked at: an interval that was given is a ceiling, and the plan may be shorter. Null: nobody says. */
export function intervalOf(everyMs: number | null, plannedMs: number | null): number | null {
  return everyMs === null || plannedMs === null ? (everyMs ?? plannedMs) : Math.min(everyMs, plannedMs)
}

/** Parameters of one statement: SQLite and PostgreSQL take more, but not much of it is gained. */
const idsAtOnce = 500

/** A first plan gives nearly all tags the same interval: that is few statements. */
function byInterval(tags: PlanChange['tags']): Map<number, number[]> {
  const ids = new Map<number, number[]>()
  for (const { tagId, plannedMs } of tags) {
    const same = ids.get(plannedMs)
    if (same === undefined) ids.set(plannedMs, [tagId])
    else same.push(tagId)
  }
  return ids
}

/** See {@link PlanStore}. */
export function createPlanStore({ db, dialect }: StoreContext): PlanStore {
  return {
    async moves(laneId, sinceMs) {
      const rows = await db
        .selectFrom('history')
        .innerJoin('tags', 'tags.id', 'history.tag_id')
        .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
        .select(['history.tag_id', 'history.at', 'history.kind'])
        .where('upstreams.lane_id', '=', laneId)
        .where((where) => where.or([where('history.at', '>=', sinceMs), where('history.kind', '=', 'first-seen')]))
        .orderBy('history.tag_id')
        .orderBy('history.at')
        .execute()
      return rows.map(({ tag_id: tagId, at, kind }) => ({ tagId, at, isFirst: kind === 'first-seen' }))
    },
    async pausedUntil(laneId) {
      const row = await db.selectFrom('lanes').select('paused_until').where('id', '=', laneId).executeTakeFirst()
      return row?.paused_until ?? null
    },
    put: (lease, { tags, repositories }, watermarkAt) =>
      db.transaction().execute(async (trx) => {
        await requireLease(trx, lease, dialect)
        await trx.updateTable('lanes').set({ watermark_at: watermarkAt }).where('id', '=', lease.laneId).execute()
        for (const [plannedMs, ids] of byInterval(tags)) {
          for (let from = 0; from < ids.length; from += idsAtOnce) {
            const some = ids.slice(from, from + idsAtOnce)
            await trx.updateTable('tags').set({ planned_ms: plannedMs }).where('id', 'in', some).execute()
          }
        }
        for (const { path, isListed } of repositories) {
          await trx
            .updateTable('upstreams')
            .set({ is_listed: Number(isListed) })
            .where('lane_id', '=', lease.laneId)
            .where('path', '=', path)
            .execute()
        }
      }),
  }
}
