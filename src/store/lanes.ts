import { Fault } from '../core/fault.js'
import type { Host } from '../core/host.js'
import type { Queries, SqlDialect, StoreContext } from './schema.js'
import type { LaneLease, LaneStore, LeasedLane } from './store.js'

/** See {@link LaneStore}. */
export function createLaneStore({ db, dialect }: StoreContext): LaneStore {
  return {
    lease: (owner, options) =>
      db.transaction().execute(async (trx) => {
        const taken: LeasedLane[] = []
        for (const lane of await freeLanes(trx, dialect === 'postgres')) {
          const isHeld = lane.lease_owner !== null && lane.lease_until > options.now
          if (isHeld && (lane.lease_owner === owner || !options.isGone?.(lane.lease_owner ?? ''))) continue
          taken.push(await take(trx, lane, owner, options))
        }
        return taken
      }),
    renew: (owner, { now, leaseMs, lanes }) =>
      db.transaction().execute(async (trx) => {
        const held: number[] = []
        for (const { laneId, watermarkAt, pausedUntil } of lanes) {
          const result = await trx
            .updateTable('lanes')
            .set({ lease_until: now + leaseMs, watermark_at: watermarkAt, paused_until: pausedUntil })
            .where('id', '=', laneId)
            .where('lease_owner', '=', owner)
            .executeTakeFirst()
          if (result.numUpdatedRows > 0n) held.push(laneId)
        }
        return held
      }),
    recordAbsence: (owner, laneIds, { from, to }) =>
      db.transaction().execute(async (trx) => {
        if (laneIds.length === 0) return
        const held = await trx
          .selectFrom('lanes')
          .select('id')
          .where('id', 'in', laneIds)
          .where('lease_owner', '=', owner)
          .execute()
        for (const { id } of held) await insertAbsence(trx, id, from, to)
      }),
    release: (owner, lanes) =>
      db.transaction().execute(async (trx) => {
        for (const { laneId, watermarkAt, pausedUntil = null } of lanes) {
          await trx
            .updateTable('lanes')
            .set({ lease_owner: null, lease_until: 0, watermark_at: watermarkAt, paused_until: pausedUntil })
            .where('id', '=', laneId)
            .where('lease_owner', '=', owner)
            .execute()
        }
      }),
  }
}

type LaneRow = Awaited<ReturnType<typeof freeLanes>>[number]

/** Lanes that somebody watches something on; in PostgreSQL those that nobody is taking at this moment. */
async function freeLanes(trx: Queries, isLocking: boolean) {
  const query = trx
    .selectFrom('lanes')
    .selectAll()
    .where(({ exists, or, selectFrom }) =>
      or([
        exists(
          selectFrom('upstreams')
            .innerJoin('tags', 'tags.upstream_id', 'upstreams.id')
            .innerJoin('watches', 'watches.tag_id', 'tags.id')
            .select('upstreams.id')
            .whereRef('upstreams.lane_id', '=', 'lanes.id')
            .where('watches.removed_at', 'is', null),
        ),
        exists(
          selectFrom('upstreams')
            .innerJoin('repositories', 'repositories.upstream_id', 'upstreams.id')
            .innerJoin('watch_rules', 'watch_rules.repository_id', 'repositories.id')
            .select('upstreams.id')
            .whereRef('upstreams.lane_id', '=', 'lanes.id'),
        ),
      ]),
    )
    .orderBy('lanes.id')
  return await (isLocking ? query.forUpdate().skipLocked() : query).execute()
}

async function take(
  trx: Queries,
  lane: LaneRow,
  owner: string,
  { now, leaseMs }: { now: number; leaseMs: number },
): Promise<LeasedLane> {
  const epoch = lane.lease_epoch + 1
  if (lane.watermark_at > 0 && now > lane.watermark_at) await insertAbsence(trx, lane.id, lane.watermark_at, now)
  await trx
    .updateTable('lanes')
    // The watermark moves once what was missed is looked at. A lane that nobody has held yet has missed nothing.
    .set({
      lease_owner: owner,
      lease_until: now + leaseMs,
      lease_epoch: epoch,
      watermark_at: lane.watermark_at === 0 ? now : lane.watermark_at,
    })
    .where('id', '=', lane.id)
    .execute()
  return {
    laneId: lane.id,
    epoch,
    host: lane.host as Host,
    watermarkAt: lane.watermark_at,
    pausedUntil: lane.paused_until,
  }
}

/** One absence, even where it is told in parts: by a holder that ended before the watermark moved, and by the next. */
async function insertAbsence(trx: Queries, laneId: number, from: number, to: number): Promise<void> {
  const extended = await trx
    .updateTable('gaps')
    .set({ to_at: to })
    .where('lane_id', '=', laneId)
    .where('reason', '=', 'not-running')
    .where('from_at', '<=', from)
    .where('to_at', '>=', from)
    .where('to_at', '<', to)
    .executeTakeFirst()
  if (extended.numUpdatedRows > 0n) return
  await trx.insertInto('gaps').values({ lane_id: laneId, from_at: from, to_at: to, reason: 'not-running' }).execute()
}

/** What was learned under a lease that another process has taken since is not written: that process looks itself. */
export async function requireLease(trx: Queries, { laneId, epoch }: LaneLease, dialect: SqlDialect): Promise<void> {
  const query = trx.selectFrom('lanes').select('lease_epoch').where('id', '=', laneId)
  const lane = await (dialect === 'postgres' ? query.forShare() : query).executeTakeFirst()
  if (lane?.lease_epoch !== epoch) throw new Fault('lease-lost', 'another process has taken over this host')
}
