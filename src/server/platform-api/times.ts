import type { Timestamp } from '@bufbuild/protobuf/wkt'
import { Fault } from '../../core/fault.js'

/** The last second of the year 9999: google.protobuf.Timestamp ends there. */
const lastSecond = 253_402_300_799n

/**
 * The first whole millisecond at or after a time: what is stored has no finer ones, so that bounds stay exact.
 * @throws Fault `invalid-time`
 */
export function millisecondsOf(time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined
  const { seconds, nanos } = time
  const isReal = seconds >= -62_135_596_800n && seconds <= lastSecond && nanos >= 0 && nanos < 1_000_000_000
  if (!isReal) throw new Fault('invalid-time', 'a time lies outside the years 1 to 9999')
  return Number(seconds) * 1000 + Math.ceil(nanos / 1_000_000)
}
