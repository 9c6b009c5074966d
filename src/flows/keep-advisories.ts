import { existsSync } from 'node:fs'
import { noCost } from '../core/cost.js'
import { isFault, toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import { parseDuration } from '../core/time.js'
import { snapshotPath } from './advisory-files.js'
import type { Config } from './config.js'
import { createAbort, type Services } from './open.js'
import { updateAdvisories } from './update-advisories.js'

/** What keeps advisory data up to date. */
export interface AdvisoryKeeper {
  configure(config: Config): void
  /** Stops, and leaves what is there as it is. */
  stop(): Promise<void>
}

const defaultEveryMs = 6 * 3_600_000

/**
 * Updates the advisory data every so often (`advisories.every`). Nothing is downloaded that nobody asked for: where there is no
 * snapshot and the configuration says nothing of advisories, it waits until there is one.
 */
export function startKeepingAdvisories(services: Services, log: Log, initial: Config): AdvisoryKeeper {
  const abort = createAbort()
  let config = initial
  let wake = createAbort()
  const run = async () => {
    while (!abort.signal.aborted) {
      const everyMs = everyMsOf(config)
      if (everyMs !== null && (await isDue(services, config, everyMs))) await updateOnce(services, log, abort.signal)
      const signal = AbortSignal.any([abort.signal, wake.signal])
      // Looked at more often than it is done: another process may have updated meanwhile, or made the first snapshot.
      await services.clock.sleep(Math.min(everyMs ?? lookEveryMs, lookEveryMs), signal).catch(unlessWoken)
    }
  }
  const running = run()
  return {
    configure(next) {
      config = next
      wake.abort()
      wake = createAbort()
    },
    async stop() {
      abort.abort()
      await running
    },
  }
}

const lookEveryMs = 5 * 60_000

function everyMsOf({ advisories }: Config): number | null {
  const every = advisories?.every
  return every === 'off' ? null : every === undefined ? defaultEveryMs : Math.max(60_000, parseDuration(every))
}

async function isDue(services: Services, { advisories: settings }: Config, everyMs: number): Promise<boolean> {
  if (!existsSync(await snapshotPath(services))) return settings !== undefined
  try {
    const advisories = await services.advisories()
    const { builtAt } = advisories.identity
    advisories.close()
    return services.clock.now() - builtAt >= everyMs
  } catch (error) {
    // A snapshot that cannot be read is told to whoever asks for it; an update would fail on it too.
    if (isFault(error)) return false
    throw error
  }
}

async function updateOnce(services: Services, log: Log, signal: AbortSignal): Promise<void> {
  try {
    const { identity, parts } = await updateAdvisories(services, { sources: [], cost: noCost(), signal })
    for (const { source, part, failure } of parts) {
      if (failure !== null) log.warn({ source, part, failure }, 'advisories could not be renewed')
    }
    log.info({ id: identity.id }, 'advisories updated')
  } catch (error) {
    if (signal.aborted) return
    const { code, message } = toFault(error)
    log.warn({ code, fault: message }, 'advisories could not be updated')
  }
}

function unlessWoken(error: unknown): void {
  if (!isFault(error, 'cancelled')) throw error
}
