import { isFault, toFault } from '../core/fault.js'
import type { Host } from '../core/host.js'
import { limits } from '../core/limits.js'
import { formatRepository, type Repository } from '../core/reference.js'
import type { WatchRule } from '../store/store.js'
import { describeRule, followTags } from './follow-tags.js'
import type { WatchMeans } from './watch-means.js'

/** The rules whose hosts this process holds: when each repository is listed next. */
export class FollowedRules {
  readonly #options: WatchMeans
  readonly #dueAt = new Map<number, number>()
  readonly #listedAt = new Map<number, number>()
  /** Repositories that rules follow, as of the last time when they were read. */
  #followed: ReadonlySet<string> = new Set()
  /** Names that a list of digests gave, by repository, until they are followed. */
  readonly #named = new Map<string, readonly string[]>()
  #following: Promise<void> | null = null

  constructor(options: WatchMeans) {
    this.#options = options
  }

  /** Asks for a list soon, but not sooner than {@link limits.listHintDistanceMs} after the last. */
  hint(ruleId: number, now: number): void {
    const soonestAt = (this.#listedAt.get(ruleId) ?? 0) + limits.listHintDistanceMs
    this.#dueAt.set(ruleId, Math.min(this.#dueAt.get(ruleId) ?? now, Math.max(now, soonestAt)))
  }

  /** Whether a rule follows the tags of a repository. */
  follows(repository: Repository): boolean {
    return this.#followed.has(formatRepository(repository))
  }

  /** Somebody has read the names of all tags of a repository: rules need not be listed for them. */
  named(repository: Repository, names: readonly string[]): void {
    this.#named.set(formatRepository(repository), names)
  }

  /** Begins to list what is due on `hosts`, unless that is under way. */
  begin(hosts: ReadonlySet<Host>, defaultEveryMs: number): void {
    this.#following ??= this.#follow(hosts, defaultEveryMs).finally(() => {
      this.#following = null
    })
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#following
  }

  async #follow(hosts: ReadonlySet<Host>, defaultEveryMs: number): Promise<void> {
    const { clock, store } = this.#options
    const named = new Map(this.#named)
    this.#named.clear()
    const rules = await store.watches.listRules()
    this.#followed = new Set(rules.map(({ repository }) => formatRepository(repository)))
    for (const rule of rules) {
      const now = clock.now()
      const names = named.get(formatRepository(rule.repository))
      const isDue = (this.#dueAt.get(rule.id) ?? 0) <= now
      if (!hosts.has(rule.repository.host) || (names === undefined && !isDue)) continue
      this.#dueAt.set(rule.id, now + (rule.everyMs ?? defaultEveryMs))
      this.#listedAt.set(rule.id, now)
      if (!(await this.#list(rule, names))) return
    }
  }

  /** False when it was cancelled. */
  async #list(rule: WatchRule, names: readonly string[] | undefined): Promise<boolean> {
    const { registry, store, log, cost, signal } = this.#options
    try {
      const pages = names === undefined ? registry.tags(rule.repository, { cost, signal, maxWaitMs: 1_000 }) : [names]
      const { added, beyond } = await followTags(rule, pages, store)
      if (added > 0) log.info({ rule: describeRule(rule), added }, 'new tags are watched')
      if (beyond > 0)
        log.warn({ rule: describeRule(rule), beyond, maxTags: rule.maxTags }, 'more tags than the rule watches')
    } catch (error) {
      if (isFault(error, 'cancelled')) return false
      log.warn({ rule: describeRule(rule), fault: toFault(error).message }, 'the tags could not be listed')
    }
    return true
  }
}
