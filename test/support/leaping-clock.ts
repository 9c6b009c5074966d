import { type Clock, systemClock } from '../../src/core/clock.js'
import { throwIfAborted } from '../../src/core/fault.js'

/** A clock that leaps: whoever sleeps wakes at once, that much later. `slept` tells what was waited, in milliseconds. */
export interface LeapingClock extends Clock {
  readonly slept: number[]
  advance(byMs: number): void
}

/** A leaping clock that begins at `startMs`. */
export function leapingClock(startMs = Date.UTC(2026, 4, 1)): LeapingClock {
  let now = startMs
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    advance: (byMs) => {
      now += byMs
    },
    sleep: async (delayMs, signal) => {
      throwIfAborted(signal)
      slept.push(delayMs)
      now += delayMs
      // Lets what is under way on real sockets go on.
      await systemClock.sleep(0)
    },
  }
}
