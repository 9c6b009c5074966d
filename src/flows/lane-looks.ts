import { isFault, toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import { formatReference, type Repository } from '../core/reference.js'
import { defaultConcurrency, type Registry } from '../registry/registry.js'
import type { Store } from '../store/store.js'
import { type CheckOutcome, checkTag } from './check-tag.js'
import { type Config, settleMsOf } from './config.js'
import type { LanePlanner } from './lane-planner.js'
import { ListedRepositories } from './listed-repositories.js'
import type { Services } from './open.js'
import { startReporting } from './report-history.js'
import type { DueList, ScheduledTag } from './scheduled-tag.js'
import type { WatchedImages } from './watched-images.js'
import type { WatchedLane } from './watched-lane.js'
import type { WatchCounts } from './watcher.js'

/** What {@link LaneLooks} works with. */
export interface LaneLooksOptions {
  readonly services: Services
  readonly store: Store
  readonly registry: Registry
  readonly log: Log
  readonly images: WatchedImages
  readonly counts: WatchCounts
  readonly signal: AbortSignal
  config(): Config
  /** Whether this process still holds the lane. */
  isHeld(lane: WatchedLane): boolean
  plannerOf(lane: WatchedLane): LanePlanner
  /** Another process has taken the lane over. */
  onLost(lane: WatchedLane): void
  /** A state has turned, and waits to be written. */
  onTurned(): void
  /** A move waits to settle. */
  onSettling(untilMs: number): void
  /** Whether somebody wants the names of all tags of a repository. */
  wantsNames(repository: Repository): boolean
  /** A list has named all tags of a repository. */
  onNames(repository: Repository, names: readonly string[]): void
}

/** A tag that was missed once is looked at again after this time. */
const missedMs = 5_000
/** While the rest of a move is expected, a tag is looked at so many times in each wait. */
const looksToSettle = 2

/** Makes the looks of lanes: as many at a time as their hosts may be asked. */
export class LaneLooks {
  readonly #options: LaneLooksOptions
  readonly #looks = new Set<Promise<void>>()
  readonly #lists: ListedRepositories
  readonly #reporter: ReturnType<typeof startReporting>

  constructor(options: LaneLooksOptions) {
    this.#options = options
    const { registry, store, log, signal, services, counts, onNames, wantsNames } = options
    const shared = { registry, store, log, signal, clock: services.clock, cost: counts.cost }
    this.#lists = new ListedRepositories({ ...shared, onNames, wantsNames })
    this.#reporter = startReporting(shared)
  }

  /** Whether a repository is to be known by a list. */
  isListed(lane: WatchedLane, path: string, tags: number): boolean {
    return this.#lists.isWanted(lane, path, tags)
  }

  /** How many looks at a time a lane may have. */
  slots(lane: WatchedLane): number {
    return this.#options.config().registries?.[lane.host]?.concurrency ?? defaultConcurrency
  }

  /** Begins what is due, as far as there are slots. */
  begin(lane: WatchedLane): void {
    const { services, signal, isHeld } = this.#options
    const now = services.clock.now()
    if (lane.heldUntil > now) return
    while (lane.running < this.slots(lane) && !signal.aborted) {
      const next = lane.take(now)
      if (next === undefined) return
      const work = 'tags' in next ? this.#list(lane, next) : this.#look(lane, next)
      const look = work.finally(() => {
        this.#looks.delete(look)
        if (isHeld(lane)) this.begin(lane)
      })
      this.#looks.add(look)
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#looks, this.#reporter.idle()])
  }

  async #look(lane: WatchedLane, tag: ScheduledTag): Promise<void> {
    const { services, registry, store, counts, signal, config } = this.#options
    const { clock } = services
    const settleMs = settleMsOf(config())
    // A pause longer than this is a state of the tag, not a wait.
    const call = { cost: counts.cost, signal, maxWaitMs: 1_000, settleMs, now: () => clock.now() }
    const begunAt = clock.now()
    let soonMs: number | null = null
    let isSame = false
    let isTold = false
    try {
      counts.looks++
      this.#options.plannerOf(lane).looked()
      const before = tag.digest
      const outcome = await checkTag(tag, lane.lease, registry, store, call)
      isSame = outcome.kind === 'same'
      const isMissed = tag.misses > 0 || tag.vanishes > 0
      isTold = tag.state === 'unknown' || !isMissed
      this.#take(outcome, lane, tag)
      if (tag.state === 'unknown') counts.unknown++
      if (isMissed) soonMs = missedMs
      else if ((tag.settling?.until ?? 0) > clock.now()) soonMs = settleMs / looksToSettle
      await this.#lists.judge(lane, tag, outcome.kind === 'moved', before)
    } catch (error) {
      this.#tell(error, lane, tag)
      soonMs = missedMs
    }
    lane.done(tag, clock.now(), soonMs, isSame, isTold ? begunAt : null)
  }

  #take(outcome: CheckOutcome, lane: WatchedLane, tag: ScheduledTag): void {
    const { services, counts, log, images, config, plannerOf, onTurned, onSettling } = this.#options
    if (outcome.kind === 'turned') {
      lane.turned.push(outcome.change)
      onTurned()
    }
    if (outcome.kind !== 'moved') return
    const now = services.clock.now()
    counts.moves++
    const { kind, digest } = outcome.entry
    const what = kind === 'first-seen' ? 'tag seen for the first time' : 'tag moved'
    log.info({ reference: formatReference(tag.reference), kind, digest }, what)
    images.want(tag, config())
    if (outcome.settlesAt !== null) onSettling(outcome.settlesAt)
    if (kind === 'first-seen') {
      tag.isUndated = outcome.entry.pushedAt === null
      this.#reporter.want(tag.reference)
    } else for (const sibling of plannerOf(lane).moved(tag, now)) lane.lookSoon(sibling, now)
  }

  async #list(lane: WatchedLane, due: DueList): Promise<void> {
    const { counts, services, plannerOf } = this.#options
    const askedAt = services.clock.now()
    let proofs: ReadonlySet<ScheduledTag> = new Set(due.tags)
    try {
      counts.lists++
      plannerOf(lane).looked()
      proofs = await this.#lists.round(lane, due)
    } catch (error) {
      const [tag] = due.tags
      if (tag !== undefined) this.#tell(error, lane, tag)
    }
    lane.listed(due, proofs, askedAt, services.clock.now())
  }

  #tell(error: unknown, lane: WatchedLane, tag: ScheduledTag): void {
    const { log, onLost } = this.#options
    if (isFault(error, 'cancelled')) return
    if (isFault(error, 'lease-lost')) {
      onLost(lane)
      return
    }
    const fault = toFault(error)
    const fields = { reference: formatReference(tag.reference), code: fault.code, fault: fault.message }
    log.error(fault.code === 'internal' ? { ...fields, err: fault.cause } : fields, 'a look failed')
  }
}
