import type { Host } from '../core/host.js'
import type { Queries, StoreContext } from './schema.js'
import type { LaneStore, LeasedLane } from './store.js'

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
    release: (owner, lanes) =>
      db.transaction().execute(async (trx) => {
        for (const { laneId, watermarkAt } of lanes) {
          await trx
            .updateTable('lanes')
            .set({ lease_owner: null, lease_until: 0, watermark_at: watermarkAt })
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
  { now, leaseMs, graceMs }: { now: number; leaseMs: number; graceMs: number },
): Promise<LeasedLane> {
  const epoch = lane.lease_epoch + 1
  const isIdle = lane.watermark_at > 0 && now - lane.watermark_at > graceMs
  if (isIdle) {
    await trx
      .insertInto('gaps')
      .values({ lane_id: lane.id, from_at: lane.watermark_at, to_at: now, reason: 'not-running' })
      .execute()
  }
  // After a gap the watermark begins anew: what lies before is told by the gap.
  const watermarkAt = isIdle || lane.watermark_at === 0 ? now : lane.watermark_at
  await trx
    .updateTable('lanes')
    .set({ lease_owner: owner, lease_until: now + leaseMs, lease_epoch: epoch, watermark_at: watermarkAt })
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
