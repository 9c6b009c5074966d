import { Fault } from './fault.js'

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/**
 * Reads a duration such as `500ms`, `30s`, `5m`, `1h30m`, `7d`, `2w`, in milliseconds.
 * @throws Fault `invalid-duration`
 */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/gy)]
  const matched = parts.reduce((length, part) => length + part[0].length, 0)
  const totalMs = parts.reduce((sum, part) => sum + Number(part[1]) * unitsMs[part[2] as keyof typeof unitsMs], 0)
  if (text === '' || matched !== text.length || !Number.isSafeInteger(Math.round(totalMs))) {
    throw new Fault('invalid-duration', `not a duration: '${text.slice(0, 60)}'`)
  }
  return Math.round(totalMs)
}

/** `5m`, `1h30m`, `7d`: the shortest exact form of a whole number of milliseconds, which {@link parseDuration} reads. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${durationMs}ms`
  let rest = durationMs
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitsMs[unit])
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitsMs[unit]
  }
  return text
}

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?))?$/

/**
 * Reads a point in time, in milliseconds since the epoch: a date (its first moment in UTC) or ISO 8601 with an offset
 * (RFC 3339, also without seconds and with up to nine fractional digits, cut to milliseconds).
 * A time without an offset is refused: it would mean something else on every machine.
 * @throws Fault `invalid-time`
 */
export function parseTime(text: string): number {
  const match = isoPattern.exec(text)
  if (match === null) throw new Fault('invalid-time', `not a time: '${text.slice(0, 60)}'`)
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', offset = 'Z'] = match
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3)
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const isRealDate = new Date(utc).toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`)
  if (!isRealDate) throw new Fault('invalid-time', `no such time: '${text}'`)
  return utc + Number(milliseconds) - offsetMs(offset)
}

function offsetMs(offset: string): number {
  if (offset === 'Z' || offset === 'z') return 0
  const digits = offset.replace(':', '').padEnd(5, '0')
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5))
  if (Number(digits.slice(1, 3)) > 23 || Number(digits.slice(3, 5)) > 59) {
    throw new Fault('invalid-time', `no such offset: '${offset}'`)
  }
  return (digits.startsWith('-') ? -minutes : minutes) * 60_000
}

/** `2026-05-01T12:00:00.000Z`: milliseconds and `Z`, always. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
