import { createHash } from 'node:crypto'

/**
 * Where in its interval a tag is looked at: the same on every machine and after every start, spread evenly over all tags.
 * @param name the reference
 * @param everyMs the interval
 * @returns milliseconds in [0, everyMs)
 */
export function phaseMs(name: string, everyMs: number): number {
  const hash = createHash('sha256').update(name).digest()
  return Math.floor((hash.readUIntBE(0, 6) / 2 ** 48) * everyMs)
}

/** The first slot after `afterMs`: slots are at phase + k × interval since the epoch. */
export function nextSlotMs(phase: number, everyMs: number, afterMs: number): number {
  return phase + (Math.floor((afterMs - phase) / everyMs) + 1) * everyMs
}

/** The last slot at or before `atMs`. */
export function lastSlotMs(phase: number, everyMs: number, atMs: number): number {
  return phase + Math.floor((atMs - phase) / everyMs) * everyMs
}
