import { isFault, toFault } from '../core/fault.js'
import { formatReference, type TagReference } from '../core/reference.js'
import type { Registry } from '../registry/registry.js'
import type { WatchMeans } from './watch-means.js'

/** Fills in what registries themselves know of a tag's past, on the day when it is first watched. */
export interface HistoryReporter {
  /** Has a tag's past asked for, where its registry may know one. */
  want(reference: TagReference): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** Tags that wait; beyond them the past stays unknown until a restart: it is asked for one by one. */
const mostWaiting = 10_000

/** One question at a time: nobody waits for the past. */
export function startReporting({ registry, store, log, clock, cost, signal }: WatchMeans): HistoryReporter {
  const waiting: TagReference[] = []
  let running: Promise<void> | null = null
  const report = async (reference: TagReference) => {
    const claims = await registry.tagHistory(reference, { cost, signal, priority: 'manifest' })
    registry.learn(reference.host, { history: claims === null ? 'none' : 'told' })
    if (claims === null) return
    const now = clock.now()
    const past = claims.filter(({ at }) => at <= now)
    const { inserted, dated } = await store.history.merge(reference, past, 'reported')
    if (inserted + dated > 0) {
      log.info({ reference: formatReference(reference), inserted, dated }, 'the registry told of the past')
    }
  }
  const run = async () => {
    for (let reference = waiting.shift(); reference !== undefined; reference = waiting.shift()) {
      if (signal.aborted) return
      // What was learned since it began to wait may be that there is nothing to ask.
      if (!mayTell(registry, reference)) continue
      try {
        await report(reference)
      } catch (error) {
        if (isFault(error, 'cancelled')) return
        const fault = toFault(error)
        const fields = { reference: formatReference(reference), code: fault.code, fault: fault.message }
        log.warn(fields, 'the past of a tag could not be asked for')
      }
    }
  }
  return {
    want(reference) {
      if (!mayTell(registry, reference) || waiting.length >= mostWaiting) return
      waiting.push(reference)
      running ??= run().finally(() => {
        running = null
      })
    },
    async idle() {
      await running
    },
  }
}

/** Chainguard, Quay, and Tidemark itself, which no name tells; of all others one tag is asked for, once. */
function mayTell(registry: Registry, { host }: TagReference): boolean {
  const kind = registry.kindOf(host)
  if (kind !== null && kind !== 'chainguard' && kind !== 'quay') return false
  return registry.profile(host).history !== 'none'
}
