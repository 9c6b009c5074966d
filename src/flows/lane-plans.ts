import type { Registry } from '../registry/registry.js'
import type { PlanStore } from '../store/plans.js'
import type { Config } from './config.js'
import { LanePlanner } from './lane-planner.js'
import { planBoundsOf } from './plan-bounds.js'
import type { WatchedLane } from './watched-lane.js'

/** The plans of the lanes that a process holds. */
export class LanePlans {
  readonly #registry: Registry
  readonly #plans: PlanStore
  readonly #config: () => Config
  readonly #planners = new Map<number, LanePlanner>()

  constructor(registry: Registry, plans: PlanStore, config: () => Config) {
    this.#registry = registry
    this.#plans = plans
    this.#config = config
  }

  /** The planner of a lane; made when it is first asked for. */
  of(lane: WatchedLane): LanePlanner {
    const known = this.#planners.get(lane.lease.laneId)
    if (known !== undefined) return known
    const planner = new LanePlanner(this.#boundsOf(lane))
    this.#planners.set(lane.lease.laneId, planner)
    return planner
  }

  /** Another process holds the lane, and its plan. */
  forget(lane: WatchedLane): void {
    this.#planners.delete(lane.lease.laneId)
  }

  /**
   * Plans a lane anew, and writes what differs.
   * @param isListed whether a repository with so many watched tags is to be known by a list
   * @throws Fault `lease-lost`, and of the store
   */
  async plan(lane: WatchedLane, isListed: (path: string, tags: number) => boolean, now: number): Promise<void> {
    const planner = this.of(lane)
    const bounds = this.#boundsOf(lane)
    planner.configure(bounds)
    lane.limit(bounds.perHour)
    const { laneId } = lane.lease
    await planner.load(laneId, this.#plans, now)
    const change = planner.replan(lane, isListed, now)
    if (change.tags.length + change.repositories.length === 0) return
    await this.#plans.put(lane.lease, change, lane.watermarkAt(now))
    planner.written(lane)
  }

  #boundsOf({ host }: WatchedLane) {
    return planBoundsOf(this.#config(), host, this.#registry.profile(host))
  }
}
