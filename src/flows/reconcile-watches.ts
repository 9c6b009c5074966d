import { formatReference, formatRepository } from '../core/reference.js'
import type { Store } from '../store/store.js'
import { type Config, declaredWatches } from './config.js'

/** What reconciling changed. */
export interface Reconciled {
  readonly added: number
  readonly removed: number
}

/**
 * Makes the watches of the configuration be what it declares: new ones are added, those that it no longer declares end. What
 * commands and rules watch stays as it is.
 * @throws Fault as `declaredWatches`, and what the store throws
 */
export async function reconcileWatches(config: Config, store: Store): Promise<Reconciled> {
  const declared = declaredWatches(config)
  const names = new Set(declared.tags.map(({ reference }) => formatReference(reference)))
  const repositories = new Set(declared.rules.map(({ repository }) => formatRepository(repository)))
  let added = 0
  let removed = 0
  for (const { reference, ...options } of declared.tags) {
    if ((await store.watches.add(reference, { ...options, origin: 'config' })).added) added++
  }
  for (const rule of declared.rules) {
    if ((await store.watches.addRule({ ...rule, origin: 'config' })).added) added++
  }
  for (const { reference, origin } of await store.watches.list()) {
    if (origin !== 'config' || names.has(formatReference(reference))) continue
    if ((await store.watches.remove(reference)).removed) removed++
  }
  for (const { repository, origin } of await store.watches.listRules()) {
    if (origin !== 'config' || repositories.has(formatRepository(repository))) continue
    if ((await store.watches.removeRule(repository, 'config')).removed) removed++
  }
  return { added, removed }
}
