import { formatReference, formatRepository } from '../core/reference.js'
import { lastSlotMs, phaseMs } from '../plan/phase.js'
import { intervalOf } from '../store/plans.js'
import type { WatchedTag } from '../store/store.js'

/** How often a watched tag is looked at, in milliseconds. @param defaultEveryMs the server's interval */
export function tagEveryMs(watch: WatchedTag, defaultEveryMs: number): number {
  return intervalOf(watch.everyMs, watch.plannedMs) ?? defaultEveryMs
}

/** Where in its interval: tags that one list tells of are looked at together, all others each at its own time. */
export function tagPhaseMs(
  { reference, isListed }: Pick<WatchedTag, 'reference' | 'isListed'>,
  everyMs: number,
): number {
  return phaseMs(isListed ? formatRepository(reference) : formatReference(reference), everyMs)
}

/**
 * When a tag was last looked at: an unchanged look writes nothing, so it is the last slot that the lane's watermark has
 * passed, or what the row says, whichever is later.
 */
export function lastLookAt(watch: WatchedTag, defaultEveryMs: number): number | null {
  if (watch.checkedAt === null) return null
  const everyMs = tagEveryMs(watch, defaultEveryMs)
  return Math.max(watch.checkedAt, lastSlotMs(tagPhaseMs(watch, everyMs), everyMs, watch.watermarkAt))
}
