import { Fault } from './fault.js'

/** Where time comes from. Injected everywhere, so that tests and the soak run on a time of their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number
  /** Resolves after `delayMs`; rejects with `cancelled` as soon as `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** Numbers in [0, 1), as `Math.random`. Injected for the same reason. */
export type Random = () => number

/** The longest delay that a Node timer takes; a longer one would fire at once. */
const maxTimerMs = 2_147_483_647

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      const cancelled = () => new Fault('cancelled', 'cancelled', { cause: signal?.reason })
      if (signal?.aborted) return reject(cancelled())
      const onAbort = () => {
        clearTimeout(timer)
        reject(cancelled())
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        Math.min(Math.max(0, delayMs), maxTimerMs),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}
