import { matchesGlob } from '../core/glob.js'
import { formatRepository, isSameRepository, type Repository } from '../core/reference.js'
import type { Store, WatchRule } from '../store/store.js'

/** What following a repository's tags came to. */
export interface Followed {
  /** Tags that are watched from now on. */
  readonly added: number
  /** Tags that match but are beyond the rule's `maxTags`. */
  readonly beyond: number
}

/**
 * Watches the tags of a repository that the rule takes and that nobody watches yet. Tags that are no longer named stay watched:
 * their own HEAD tells that they were removed.
 * @param pages the names of all tags
 * @throws Fault what the store throws, and what reading the pages does
 */
export async function followTags(
  rule: WatchRule,
  pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  store: Store,
): Promise<Followed> {
  const { host, path } = rule.repository
  const watched = new Set<string>()
  for (const { reference } of await store.watches.list()) {
    if (isSameRepository(reference, rule.repository)) watched.add(reference.tag)
  }
  let taken = [...watched].filter((tag) => takes(rule, tag)).length
  let added = 0
  let beyond = 0
  for await (const page of pages) {
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
