import { isFault, toFault } from '../core/fault.js'
import type { Host } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import { formatReference, formatRepository, type Repository } from '../core/reference.js'
import type { TagAssignment } from '../core/tag-assignment.js'
import type { Registry } from '../registry/registry.js'
import type { DueList, ScheduledTag } from './scheduled-tag.js'
import type { WatchMeans } from './watch-means.js'
import type { WatchedLane } from './watched-lane.js'

/** What {@link ListedRepositories} works with. */
export interface ListedRepositoriesOptions extends WatchMeans {
  /** Whether somebody wants to know the names of all tags of a repository. */
  readonly wantsNames: (repository: Repository) => boolean
  /** Takes them, where a list was read to its end. */
  readonly onNames: (repository: Repository, names: readonly string[]) => void
}

/** A list for fewer tags than this costs as much as asking for each. */
const fewestTags = 4
/** A list must take no more requests than so many times fewer than its tags would: lists are often limited more tightly than looks. */
const worthwhile = 2
/** Every so many rounds of a list some tags are asked for although it says that they are as they were. */
const proveEvery = 2
/** Of so many tags one is asked for. */
const tagsPerProof = 100
/** A host whose list has lied is asked tag by tag for so long. */
export const distrustMs = 7 * 86_400_000
/** Where a list fails that often in a row, tags are asked for one by one, for a while. */
const failuresToRest = 3
const restMs = 60 * 60_000

/** What is known of one repository's list while the process lives. */
interface ListState {
  rounds: number
  failures: number
  /** Where in its tags the last sample ended. */
  proved: number
  /** Until when it is not asked for; Infinity: it is not for us. */
  restsUntil: number
}

/**
 * Repositories whose tags are known by one list. A list only says where to look: what it says of a tag that is new or other is
 * proved by HEAD; of what it says is unchanged, a sample. A host whose list says what its manifests do not loses our trust.
 */
export class ListedRepositories {
  readonly #options: ListedRepositoriesOptions
  readonly #states = new Map<string, ListState>()

  constructor(options: ListedRepositoriesOptions) {
    this.#options = options
  }

  /** Whether the tags of a repository are to be known by a list. @param tags how many of them are watched */
  isWanted(lane: WatchedLane, path: string, tags: number): boolean {
    const { registry, clock } = this.#options
    const isWorth = isListable(registry, lane.host, registry.profile(lane.host), tags, clock.now())
    return isWorth && !this.#isResting(lane, path)
  }

  /**
   * Asks for a list, and gives the tags that a HEAD must tell of: all of them where the list fails.
   * @throws Fault `cancelled`
   */
  async round(lane: WatchedLane, due: DueList): Promise<ReadonlySet<ScheduledTag>> {
    const state = this.#stateOf(lane, due.list.path)
    for (const tag of due.tags) tag.listed = null
    // The next plan takes it off the list; until then its tags fall due together.
    if (!this.#mayAsk(lane, due.list.path)) return new Set(due.tags)
    try {
      const found = await this.#read(lane, due)
      if (found === null) {
        state.restsUntil = Number.POSITIVE_INFINITY
        return new Set(due.tags)
      }
      state.failures = 0
      const proofs = this.#compare(due, found)
      if (state.rounds++ % proveEvery === 0) this.#sample(due, state, proofs)
      await this.#date(due, found)
      return proofs
    } catch (error) {
      if (isFault(error, 'cancelled')) throw error
      this.#rest(lane, due.list.path, state, error)
      return new Set(due.tags)
    }
  }

  /** Judges the list by a HEAD of one of its tags: to be called after the look that a list brought. */
  async judge(lane: WatchedLane, tag: ScheduledTag, isMoved: boolean, before: string | null): Promise<void> {
    const { listed } = tag
    tag.listed = null
    if (listed === null || tag.state !== 'present' || listed.digest === tag.digest) {
      tag.contradicted = null
      return
    }
    if (isMoved && listed.digest === before) {
      // It moved, and the list did not say so. Asked again it may, for the move may have come in between.
      if (!(await this.#saysStill(tag))) return
      this.#distrust(lane, tag)
    } else if (tag.contradicted === listed.digest) this.#distrust(lane, tag)
    else tag.contradicted = listed.digest
  }

  #mayAsk(lane: WatchedLane, path: string): boolean {
    const { registry, clock } = this.#options
    return isTrusted(registry.profile(lane.host), clock.now()) && !this.#isResting(lane, path)
  }

  #isResting(lane: WatchedLane, path: string): boolean {
    return (this.#states.get(keyOf(lane, path))?.restsUntil ?? 0) > this.#options.clock.now()
  }

  #stateOf(lane: WatchedLane, path: string): ListState {
    const key = keyOf(lane, path)
    const state = this.#states.get(key) ?? { rounds: 0, failures: 0, proved: 0, restsUntil: 0 }
    this.#states.set(key, state)
    return state
  }

  /** What the list says of the tags that are due; null where there is no list for us, or reading it costs more than asking for each. */
  async #read(lane: WatchedLane, due: DueList): Promise<Map<string, TagAssignment> | null> {
    const { registry, onNames, wantsNames } = this.#options
    const repository = { host: lane.host, path: due.list.path }
    const isWhole = wantsNames(repository)
    const pages = await registry.listDigests(repository, this.#call())
    if (pages === null) return null
    const wanted = new Set(due.tags.map(({ reference }) => reference.tag))
    const found = new Map<string, TagAssignment>()
    const names: string[] = []
    let count = 0
    for await (const page of pages) {
      for (const assignment of page) {
        names.push(assignment.tag)
        // The first counts: a list that goes on while tags move may name one twice, and the newest first.
        if (wanted.has(assignment.tag) && !found.has(assignment.tag)) found.set(assignment.tag, assignment)
      }
      if (found.size === wanted.size && !isWhole) return found
      if (++count * worthwhile > due.tags.length && found.size < wanted.size) return null
    }
    onNames(repository, names)
    return found
  }

  #compare(due: DueList, found: ReadonlyMap<string, TagAssignment>): Set<ScheduledTag> {
    const proofs = new Set<ScheduledTag>()
    for (const tag of due.tags) {
      const assignment = found.get(tag.reference.tag)
      if (assignment !== undefined) tag.listed = assignment
      if (assignment?.digest !== tag.digest) proofs.add(tag)
    }
    return proofs
  }

  /** Each tag comes round in its turn. */
  #sample(due: DueList, state: ListState, proofs: Set<ScheduledTag>): void {
    const tags = due.tags.toSorted((a, b) => a.tagId - b.tagId)
    const count = proofsOf(tags.length)
    for (let index = 0; index < count; index++) {
      const tag = tags[(state.proved + index) % tags.length]
      if (tag !== undefined) proofs.add(tag)
    }
    state.proved = (state.proved + count) % tags.length
  }

  /** When tags that were seen for the first time were pushed. */
  async #date(due: DueList, found: ReadonlyMap<string, TagAssignment>): Promise<void> {
    for (const tag of due.tags) {
      const assignment = found.get(tag.reference.tag)
      if (!tag.isUndated || assignment === undefined || assignment.digest !== tag.digest) continue
      tag.isUndated = false
      const { digest, pushedAt } = assignment
      if (pushedAt === null || pushedAt > this.#options.clock.now()) continue
      await this.#options.store.history.merge(tag.reference, [{ digest, at: pushedAt }], 'reported')
    }
  }

  #rest(lane: WatchedLane, path: string, state: ListState, error: unknown): void {
    const { log, clock } = this.#options
    const fault = toFault(error)
    const isNotForUs = fault.code === 'denied' || fault.code === 'unsupported'
    if (isNotForUs) state.restsUntil = Number.POSITIVE_INFINITY
    else if (++state.failures >= failuresToRest) {
      state.failures = 0
      state.restsUntil = clock.now() + restMs
    }
    const repository = formatRepository({ host: lane.host, path })
    log.warn({ repository, code: fault.code, fault: fault.message }, 'a list of digests could not be read')
  }

  /** Whether the list, read again, and the registry still say something else. */
  async #saysStill(tag: ScheduledTag): Promise<boolean> {
    const { registry } = this.#options
    try {
      const pages = await registry.listDigests(tag.reference, this.#call())
      if (pages === null) return false
      for await (const page of pages) {
        const assignment = page.find((one) => one.tag === tag.reference.tag)
        if (assignment === undefined) continue
        if (assignment.digest === tag.digest) return false
        const { digest } = await registry.head(tag.reference, this.#call())
        return digest !== assignment.digest
      }
      return false
    } catch (error) {
      // Nothing is proved against it: the next round samples again.
      if (!isFault(error) || isFault(error, 'cancelled')) throw error
      return false
    }
  }

  #distrust(lane: WatchedLane, tag: ScheduledTag): void {
    const { registry, log, clock } = this.#options
    tag.contradicted = null
    if (!isTrusted(registry.profile(lane.host), clock.now())) return
    registry.learn(lane.host, { listDistrustedAt: clock.now() })
    log.warn(
      { host: lane.host, reference: formatReference(tag.reference) },
      'the list of digests says what the manifests do not: this host is asked tag by tag from now on',
    )
  }

  #call() {
    const { cost, signal } = this.#options
    return { cost, signal, maxWaitMs: 1_000, priority: 'head' } as const
  }
}

/** Whether one list may tell of so many watched tags of a repository, as far as is known of its host. */
export function isListable(
  registry: Pick<Registry, 'hasLists'>,
  host: Host,
  profile: HostProfile,
  tags: number,
  now: number,
): boolean {
  return tags >= fewestTags && registry.hasLists(host) && isTrusted(profile, now)
}

/** How many HEADs each list of so many tags brings where nothing moves, on the mean. */
export function proofsPerList(tags: number): number {
  return proofsOf(tags) / proveEvery
}

function proofsOf(tags: number): number {
  return Math.ceil(tags / tagsPerProof)
}

/** Whether a host's list is believed: it has not lied, or not lately. */
export function isTrusted({ listDistrustedAt }: HostProfile, now: number): boolean {
  return listDistrustedAt === undefined || now - listDistrustedAt >= distrustMs
}

function keyOf(lane: WatchedLane, path: string): string {
  return `${lane.lease.laneId} ${path}`
}
