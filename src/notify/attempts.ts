import type { Random } from '../core/clock.js'

/** Waits between attempts, in milliseconds: a receiver may be away for a night. Then the delivery is given up. */
const waitsMs = [10_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000] as const

/**
 * When a delivery is tried next after it has failed `attempts` times; null when it is given up. Spread by a fifth, so that
 * what failed together does not come back together.
 */
export function nextAttemptMs(attempts: number, nowMs: number, random: Random): number | null {
  const waitMs = waitsMs[attempts - 1]
  return waitMs === undefined ? null : nowMs + Math.round(waitMs * (0.8 + random() * 0.4))
}
