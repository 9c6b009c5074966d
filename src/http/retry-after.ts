import type { IncomingHttpHeaders } from 'node:http'

/** The longest wait that a registry can ask for: beyond a day it is a mistake of its clock, or malice. */
const longestWaitMs = 24 * 60 * 60 * 1000
/** Hints below this (GitHub's registry once sent microseconds) would only bring the same answer again. */
const shortestWaitMs = 1_000

/**
 * The time until which a host asks us to wait, in any of the dialects that registries speak; null when it gives none.
 *
 * `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3); as an absolute Unix time, which Docker Hub has sent; a Go
 * duration in the body, which GitHub sends; `RateLimit: …;r=0;t=SECONDS` and `RateLimit-Reset` (IETF drafts) where nothing
 * remains, or on a 429.
 * @param body the first part of an error body, where there is one
 */
export function parseRetryAfter(
  headers: IncomingHttpHeaders,
  body: string,
  status: number,
  nowMs: number,
): number | null {
  const isRefusal = status === 429 || status === 503 || status === 403
  if (isRefusal) {
    const header = headers['retry-after'] ?? first(headers['x-retry-after'])
    const untilMs = header === undefined ? null : parseHeader(header.trim(), nowMs)
    if (untilMs !== null) return clamp(untilMs, nowMs)
    const goDuration = /retry-after:?\s*((?:[\d.]+(?:ns|µs|μs|us|ms|s|m|h))+)/i.exec(body)?.[1]
    if (goDuration !== undefined && status !== 403) return clamp(nowMs + parseGoDuration(goDuration), nowMs)
  }
  const resetMs = parseReset(headers, status, nowMs)
  return resetMs === null ? null : clamp(resetMs, nowMs)
}

function parseHeader(value: string, nowMs: number): number | null {
  if (/^\d+(?:\.\d+)?$/.test(value)) {
    const number = Number(value)
    // More than 30 years of seconds, or milliseconds: a point in time, not a span.
    if (number > 1e12) return number
    return number > 1e9 ? number * 1000 : nowMs + number * 1000
  }
  const date = Date.parse(value)
  if (!Number.isNaN(date)) return date
  return /^(?:[\d.]+(?:ns|µs|μs|us|ms|s|m|h))+$/i.test(value) ? nowMs + parseGoDuration(value) : null
}

/** What the draft headers say, where the quota is used up. Docker Hub's `0;w=21600` counts pulls only, and a HEAD is none. */
function parseReset(headers: IncomingHttpHeaders, status: number, nowMs: number): number | null {
  const combined = first(headers.ratelimit)
  if (combined !== undefined) {
    const remaining = /\br(?:emaining)?=(\d+)/.exec(combined)?.[1]
    const seconds = /\b(?:t|reset)=(\d+)/.exec(combined)?.[1]
    if (seconds !== undefined && (remaining === '0' || status === 429)) return nowMs + Number(seconds) * 1000
  }
  const remaining = first(headers['ratelimit-remaining']) ?? first(headers['x-ratelimit-remaining'])
  const reset = first(headers['ratelimit-reset']) ?? first(headers['x-ratelimit-reset'])
  if (reset === undefined || !(remaining?.trim() === '0' || status === 429)) return null
  return parseHeader(reset.trim(), nowMs)
}

const goUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  µs: 1e-3,
  μs: 1e-3,
  us: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

function parseGoDuration(text: string): number {
  let totalMs = 0
  for (const [, number, unit = 's'] of text.matchAll(/([\d.]+)(ns|µs|μs|us|ms|s|m|h)/gi)) {
    totalMs += Number(number) * (goUnitsMs[unit.toLowerCase()] ?? 0)
  }
  return Number.isFinite(totalMs) ? totalMs : 0
}

function clamp(untilMs: number, nowMs: number): number {
  return Math.min(Math.max(untilMs, nowMs + shortestWaitMs), nowMs + longestWaitMs)
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
