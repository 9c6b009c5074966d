import { toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import type { Config } from './config.js'
import { createAbort, type Services } from './open.js'

/** Keeps what was read of images within its bound, for as long as it runs. */
export interface Retainer {
  configure(config: Config): void
  stop(): Promise<void>
}

/** How often it is looked how much there is: an image adds some hundred kilobytes. */
const everyMs = 10 * 60_000
/** Freed beyond the bound, so that not every image makes another one go. */
const slack = 0.1

/** Does nothing where the configuration gives no bound (`storage.maxBytes`). */
export function startRetaining(services: Services, log: Log, initial: Config): Retainer {
  const abort = createAbort()
  let config = initial
  const run = async () => {
    while (!abort.signal.aborted) {
      const maxBytes = config.storage?.maxBytes
      if (maxBytes !== undefined) await retainOnce(services, log, maxBytes, abort.signal)
      await services.clock.sleep(everyMs, abort.signal).catch(() => undefined)
    }
  }
  const running = run()
  return {
    configure(next) {
      config = next
    },
    async stop() {
      abort.abort()
      await running
    },
  }
}

/** Forgets what is beyond the bound. What fails is told, and tried again. */
async function retainOnce(services: Services, log: Log, maxBytes: number, signal: AbortSignal): Promise<void> {
  try {
    const { evidence } = await services.store()
    const sizeBytes = await evidence.sizeBytes()
    if (sizeBytes <= maxBytes) return
    const freedBytes = await evidence.forgetOldest(sizeBytes - Math.floor(maxBytes * (1 - slack)), signal)
    log.info(
      { sizeBytes, freedBytes, maxBytes },
      'what was read of images exceeds storage.maxBytes: the oldest was forgotten',
    )
  } catch (error) {
    log.warn({ fault: toFault(error).message }, 'what was read of images could not be kept within storage.maxBytes')
  }
}
