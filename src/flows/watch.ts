import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { noCost } from '../core/cost.js'
import { isFault, toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import type { Registry } from '../registry/registry.js'
import type { HintTarget } from '../store/hints.js'
import type { Store } from '../store/store.js'
import { type Config, everyMsOf } from './config.js'
import { FollowedRules } from './followed-rules.js'
import { LaneLooks } from './lane-looks.js'
import { LanePlans } from './lane-plans.js'
import { createAbort, type Services } from './open.js'
import { reconcileWatches } from './reconcile-watches.js'
import { isOwnerGone } from './watch-owner.js'
import { startWatchedImages, type WatchedImages } from './watched-images.js'
import { type LaneHint, WatchedLane } from './watched-lane.js'
import type { WatchCounts, Watcher } from './watcher.js'

/** How often a change of the watches by another process is looked for. */
const pollMs = 500
/** How often leases are renewed and watermarks move. */
const renewMs = 10_000
const leaseMs = 30_000
/** The loop coming round that late is an absence: the process was suspended, or starved. */
const absenceMs = 5_000
/** Turned states wait that long for others, to be written together. */
const turnedMs = 200
/** How often the plan is made anew: what was learned meanwhile changes little. */
const planMs = 5 * 60_000
/** Tags that are new wait so long for others, to be planned together. */
const newTagsMs = 2_000

/**
 * Starts watching. Lanes (one host each) are leased; their tags wait in memory, spread over their intervals.
 * @throws Fault of the store and the configuration
 */
export async function startWatching(services: Services, log: Log): Promise<Watcher> {
  const [config, store, registry] = await Promise.all([services.config(), services.store(), services.registry()])
  await reconcileWatches(config, store)
  const watcher = new LaneWatcher(services, store, registry, config, log)
  await watcher.begin()
  return watcher
}

class LaneWatcher implements Watcher {
  readonly counts: WatchCounts = {
    cost: noCost(),
    looks: 0,
    lists: 0,
    moves: 0,
    unknown: 0,
    tags: 0,
    lanes: 0,
    analyzed: 0,
  }
  readonly #owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  readonly #services: Services
  readonly #store: Store
  readonly #registry: Registry
  readonly #log: Log
  readonly #images: WatchedImages
  readonly #abort = createAbort()
  readonly #lanes = new Map<number, WatchedLane>()
  readonly #rules: FollowedRules
  readonly #plans: LanePlans
  readonly #looks: LaneLooks
  #config: Config
  #version = -1
  #pollAt = 0
  #renewAt = 0
  #planAt = 0
  #settleAt: number | null = null
  #writeAt: number | null = null
  #steppedAt: number | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(services: Services, store: Store, registry: Registry, config: Config, log: Log) {
    this.#services = services
    this.#store = store
    this.#registry = registry
    this.#config = config
    this.#log = log
    this.#images = startWatchedImages(services, log, this.counts)
    const { signal } = this.#abort
    this.#plans = new LanePlans(registry, store.plans, () => this.#config)
    this.#rules = new FollowedRules({
      ...{ store, registry, log, signal, clock: services.clock, cost: this.counts.cost },
    })
    this.#looks = new LaneLooks({
      ...{ services, store, registry, log, signal, images: this.#images, counts: this.counts },
      config: () => this.#config,
      isHeld: (lane) => this.#lanes.get(lane.lease.laneId) === lane,
      plannerOf: (lane) => this.#plans.of(lane),
      onLost: (lane) => this.#drop(lane),
      onTurned: () => {
        this.#writeAt ??= services.clock.now() + turnedMs
      },
      onSettling: (untilMs) => {
        this.#settleAt = Math.min(this.#settleAt ?? untilMs, untilMs)
      },
      wantsNames: (repository) => this.#rules.follows(repository),
      onNames: (repository, names) => this.#rules.named(repository, names),
    })
  }

  async begin(): Promise<void> {
    await this.#renew()
    await this.#poll()
    this.#running = this.#run()
  }

  async configure(config: Config): Promise<void> {
    await reconcileWatches(config, this.#store)
    this.#config = config
    this.#version = -1
  }

  hint({ laneId, tagId, ruleId }: HintTarget): LaneHint | 'elsewhere' {
    const lane = this.#lanes.get(laneId)
    const now = this.#services.clock.now()
    if (lane === undefined) return 'elsewhere'
    if (ruleId !== null) {
      this.#rules.hint(ruleId, now)
      return 'taken'
    }
    const outcome = lane.hint(tagId, now) ?? 'elsewhere'
    if (outcome === 'taken') this.#looks.begin(lane)
    return outcome
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await Promise.all([this.#running, this.#images.stop()])
    await this.#looks.idle()
    await this.#rules.idle()
    await this.#writeTurned()
    const now = this.#services.clock.now()
    const lanes = [...this.#lanes.values()].map((lane) => ({
      laneId: lane.lease.laneId,
      watermarkAt: lane.watermarkAt(now),
      pausedUntil: this.#pausedUntil(lane),
    }))
    await this.#store.lanes.release(this.#owner, lanes)
  }

  get #everyMs(): number {
    return everyMsOf(this.#config)
  }

  async #run(): Promise<void> {
    const { clock } = this.#services
    while (!this.#abort.signal.aborted) {
      try {
        await this.#step(clock.now())
      } catch (error) {
        // The store is away: nothing is lost, slots stay due, and the watermark stands still until it is back.
        this.#log.error({ fault: toFault(error).message }, 'watching stands still')
        await this.#sleep(1_000)
      }
      await this.#sleep(this.#nextAt() - clock.now())
    }
  }

  async #step(now: number): Promise<void> {
    await this.#tellAbsence(now)
    // A pause is written at once: whoever takes over after a kill must not undercut it.
    if (now >= this.#renewAt || this.#hasNewPause()) await this.#renew()
    if (now >= this.#pollAt) await this.#poll()
    if (this.#writeAt !== null && now >= this.#writeAt) await this.#writeTurned()
    if (this.#settleAt !== null && now >= this.#settleAt) await this.#settle(now)
    if (now >= this.#planAt) await this.#plan(now)
    for (const lane of this.#lanes.values()) this.#looks.begin(lane)
    // Only now: a step that the store made fail has looked at nothing, and the span is told when one succeeds.
    this.#steppedAt = now
  }

  /** The loop comes round at least every {@link pollMs}; when it did not, the process was suspended, or the store was away. */
  async #tellAbsence(now: number): Promise<void> {
    const from = this.#steppedAt
    if (from !== null && now - from > absenceMs) {
      this.#log.warn({ absentMs: now - from }, 'nothing was looked at for a while')
      await this.#store.lanes.recordAbsence(this.#owner, [...this.#lanes.keys()], { from, to: now })
    }
  }

  #nextAt(): number {
    const never = Number.POSITIVE_INFINITY
    let next = Math.min(this.#pollAt, this.#renewAt, this.#planAt, this.#writeAt ?? never, this.#settleAt ?? never)
    const now = this.#services.clock.now()
    for (const lane of this.#lanes.values()) {
      // A full lane begins its next look when one ends, not when one is due.
      if (lane.running < this.#looks.slots(lane))
        next = Math.min(next, Math.max(lane.nextAt(now) ?? next, lane.heldUntil))
    }
    return next
  }

  async #sleep(delayMs: number): Promise<void> {
    try {
      await this.#services.clock.sleep(Math.max(0, delayMs), this.#abort.signal)
    } catch (error) {
      if (!isFault(error, 'cancelled')) throw error
    }
  }

  /** What a registry asked of this process, or of the one that held the lane before. */
  #pausedUntil(lane: WatchedLane): number | null {
    const until = Math.max(this.#registry.pausedUntil(lane.host) ?? 0, lane.heldUntil)
    return until > this.#services.clock.now() ? until : null
  }

  #hasNewPause(): boolean {
    return [...this.#lanes.values()].some((lane) => (this.#pausedUntil(lane) ?? 0) > lane.storedPauseUntil)
  }

  #drop(lane: WatchedLane): void {
    if (this.#lanes.get(lane.lease.laneId) !== lane) return
    this.#lanes.delete(lane.lease.laneId)
    this.#plans.forget(lane)
    this.#version = -1
    this.#log.warn({ host: lane.host }, 'another process has taken over this host')
  }

  /** Every 10 s: what is held is kept, what is free is taken, watermarks move. */
  async #renew(): Promise<void> {
    const { clock } = this.#services
    await this.#writeTurned()
    const now = clock.now()
    const lanes = [...this.#lanes.values()].map((lane) => ({
      laneId: lane.lease.laneId,
      watermarkAt: lane.watermarkAt(now),
      pausedUntil: this.#pausedUntil(lane),
    }))
    if (lanes.length > 0) {
      const held = new Set(await this.#store.lanes.renew(this.#owner, { now, leaseMs, lanes }))
      for (const { laneId, pausedUntil } of lanes) {
        const lane = this.#lanes.get(laneId)
        if (lane === undefined) continue
        lane.storedPauseUntil = pausedUntil ?? 0
        if (!held.has(laneId)) this.#drop(lane)
      }
    }
    await this.#takeLanes()
    this.#renewAt = now + renewMs
  }

  async #takeLanes(): Promise<void> {
    const now = this.#services.clock.now()
    const taken = await this.#store.lanes.lease(this.#owner, { now, leaseMs, isGone: isOwnerGone })
    for (const lane of taken) this.#lanes.set(lane.laneId, new WatchedLane(lane, lane.host, lane.pausedUntil ?? 0))
    if (taken.length === 0) return
    this.#version = -1
    this.#settleAt = await this.#store.tags.nextSettleAt([...this.#lanes.keys()])
  }

  /** Chooses the intervals anew, and which repositories are known by lists. */
  async #plan(now: number): Promise<void> {
    for (const lane of [...this.#lanes.values()]) {
      const isListed = (path: string, tags: number) => this.#looks.isListed(lane, path, tags)
      await this.#underLease(lane, () => this.#plans.plan(lane, isListed, now))
    }
    this.#planAt = now + planMs
  }

  /** Tells of moves whose rest has come, or has not. */
  async #settle(now: number): Promise<void> {
    for (const lane of [...this.#lanes.values()])
      await this.#underLease(lane, () => this.#store.tags.settle(lane.lease, now))
    this.#settleAt = await this.#store.tags.nextSettleAt([...this.#lanes.keys()])
  }

  async #underLease(lane: WatchedLane, write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isFault(error, 'lease-lost')) throw error
      this.#drop(lane)
    }
  }

  /** Every half second: watches that came or went, and rules that are due. */
  async #poll(): Promise<void> {
    const version = await this.#store.watches.version()
    const { clock } = this.#services
    if (version !== this.#version) {
      await this.#takeLanes()
      const byLane = new Map<number, Parameters<WatchedLane['update']>[0][number][]>()
      for (const watch of await this.#store.watches.list()) {
        const list = byLane.get(watch.laneId)
        if (list === undefined) byLane.set(watch.laneId, [watch])
        else list.push(watch)
      }
      for (const [laneId, lane] of this.#lanes) lane.update(byLane.get(laneId) ?? [], this.#everyMs, clock.now())
      for (const lane of this.#lanes.values())
        for (const tag of lane.tags.values()) this.#images.want(tag, this.#config)
      this.#version = version
      this.#planAt = Math.min(this.#planAt, clock.now() + newTagsMs)
      this.counts.lanes = this.#lanes.size
      this.counts.tags = [...this.#lanes.values()].reduce((sum, lane) => sum + lane.tags.size, 0)
    }
    this.#images.rejudge([...this.#lanes.values()].map((lane) => lane.tags))
    this.#rules.begin(new Set([...this.#lanes.values()].map(({ host }) => host)), this.#everyMs)
    for (const target of await this.#store.hints.take([...this.#lanes.keys()])) this.hint(target)
    this.#pollAt = clock.now() + pollMs
  }

  async #writeTurned(): Promise<void> {
    this.#writeAt = null
    for (const lane of [...this.#lanes.values()]) {
      const { turned } = lane
      if (turned.length === 0) continue
      lane.turned = []
      try {
        await this.#store.tags.recordStates(lane.lease, turned)
      } catch (error) {
        if (isFault(error, 'lease-lost')) this.#drop(lane)
        else {
          lane.turned = [...turned, ...lane.turned]
          throw error
        }
      }
    }
  }
}
