import type { Cost } from '../core/cost.js'
import { matchesGlob } from '../core/glob.js'
import { formatRepository, isSameRepository, type Repository } from '../core/reference.js'
import type { Registry } from '../registry/registry.js'
import type { Store, WatchRule } from '../store/store.js'

/** What following a repository's tags came to. */
export interface Followed {
  /** Tags that are watched from now on. */
  readonly added: number
  /** Tags that match but are beyond the rule's `maxTags`. */
  readonly beyond: number
}

/**
 * Lists a repository's tags once and watches those that the rule takes and that nobody watches yet. Tags that vanish from the
 * list stay watched: their own HEAD tells that they were removed.
 * @throws Fault as `Registry.tags`, and what the store throws
 */
export async function followTags(
  rule: WatchRule,
  registry: Registry,
  store: Store,
  call: { readonly cost: Cost; readonly signal?: AbortSignal | undefined; readonly maxWaitMs: number },
): Promise<Followed> {
  const { host, path } = rule.repository
  const watched = new Set<string>()
  for (const { reference } of await store.watches.list()) {
    if (isSameRepository(reference, rule.repository)) watched.add(reference.tag)
  }
  let taken = [...watched].filter((tag) => takes(rule, tag)).length
  let added = 0
  let beyond = 0
  for await (const page of registry.tags(rule.repository, call)) {
    for (const tag of page) {
      if (watched.has(tag) || !takes(rule, tag)) continue
      if (taken >= rule.maxTags) {
        beyond++
        continue
      }
      taken++
      watched.add(tag)
      const { added: isNew } = await store.watches.add(
        { host, path, tag },
        { everyMs: rule.everyMs, analyze: rule.analyze, origin: 'rule' },
      )
      if (isNew) added++
    }
  }
  return { added, beyond }
}

/**
 * Ends the watches that rules of a repository brought and none of them asks for any more; what somebody declared for a single tag
 * stays. To be called when a rule has gone.
 */
export async function endUnwantedWatches(of: Repository, store: Pick<Store, 'watches'>): Promise<void> {
  const rules = (await store.watches.listRules()).filter(({ repository }) => isSameRepository(repository, of))
  for (const { reference, origin } of await store.watches.list()) {
    const isOurs = origin === 'rule' && isSameRepository(reference, of)
    if (isOurs && !rules.some((rule) => takes(rule, reference.tag))) await store.watches.remove(reference)
  }
}

/** Whether a rule watches a tag of that name. */
export function takes(rule: Pick<WatchRule, 'tags' | 'exclude'>, tag: string): boolean {
  return rule.tags.some((glob) => matchesGlob(glob, tag)) && !rule.exclude.some((glob) => matchesGlob(glob, tag))
}

/** For messages. */
export function describeRule(rule: WatchRule): string {
  return `${formatRepository(rule.repository)} (${rule.tags.join(', ')})`
}
