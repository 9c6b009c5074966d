import type { Cost } from '../core/cost.js'
import type { HintTarget } from '../store/hints.js'
import type { Config } from './config.js'
import type { LaneHint } from './watched-lane.js'

/** What a watcher has done since it was started. */
export interface WatchCounts {
  readonly cost: Cost
  looks: number
  /** Lists that were read in place of looks. */
  lists: number
  moves: number
  /** Looks that could not tell. */
  unknown: number
  tags: number
  lanes: number
  /** Images that were read, or found to be known. */
  analyzed: number
}

/** Looks at every watched tag of the lanes that it holds, until it is stopped. */
export interface Watcher {
  readonly counts: Readonly<WatchCounts>
  /** Takes up another configuration. @throws Fault `invalid-reference`, `invalid-duration` */
  configure(config: Config): Promise<void>
  /**
   * Somebody says that something has moved: it is looked at soon, and nothing of what was said is believed. `elsewhere`: this
   * process does not hold the lane, or not know the tag yet.
   */
  hint(target: HintTarget): LaneHint | 'elsewhere'
  /** Ends cleanly: looks under way are cancelled or written whole, watermarks are kept, lanes are given back. */
  stop(): Promise<void>
}
