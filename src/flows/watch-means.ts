import type { Clock } from '../core/clock.js'
import type { Cost } from '../core/cost.js'
import type { Log } from '../core/log.js'
import type { Registry } from '../registry/registry.js'
import type { Store } from '../store/store.js'

/** What everything that watches works with. */
export interface WatchMeans {
  readonly registry: Registry
  readonly store: Store
  readonly log: Log
  readonly clock: Clock
  readonly cost: Cost
  readonly signal: AbortSignal
}
