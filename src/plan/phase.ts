import { createHash } from 'node:crypto'

/**
 * Where in its interval a tag is looked at: the same on every machine and after every start, spread evenly over all tags.
 * @param name the reference
 * @param everyMs the interval
 * @returns milliseconds in [0, everyMs)
 */
export function phaseMs(name: string, everyMs: number): number {
  return Math.floor(phaseShare(name) * everyMs)
}

/** The same as a share of any interval, in [0, 1): hashed once, where the interval changes. */
export function phaseShare(name: string): number {
  return createHash('sha256').update(name).digest().readUIntBE(0, 6) / 2 ** 48
}

/** The first slot after `afterMs`: slots are at phase + k × interval since the epoch. */
export function nextSlotMs(phase: number, everyMs: number, afterMs: number): number {
  return phase + (Math.floor((afterMs - phase) / everyMs) + 1) * everyMs
}

/** The last slot at or before `atMs`. */
export function lastSlotMs(phase: number, everyMs: number, atMs: number): number {
  return phase + Math.floor((atMs - phase) / everyMs) * everyMs
}

/**
 * The slot to look at next of a tag whose interval is new: the first of its slots after the last look. It is never further from
 * that look than the interval, and may have passed already: then it is due.
 * @param lookedAt the last look; null when there was none, and the tag is due
 */
export function slotAfterLookMs(phase: number, everyMs: number, lookedAt: number | null, now: number): number {
  return lookedAt === null ? now : nextSlotMs(phase, everyMs, lookedAt)
}
