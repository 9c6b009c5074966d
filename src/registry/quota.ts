import type { IncomingHttpHeaders } from 'node:http'
import type { Quota, QuotaDialect } from '../core/quota.js'
import type { RegistryKind } from './kind.js'

/** The part of an answer that tells of a quota. */
export interface QuotaAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** GitLab counts by the minute, and scales the header where an instance counts otherwise (docs.gitlab.com, "Rate limits", 18.0). */
const gitlabWindowMs = 60_000
/** Beyond this a number is a point in time in seconds, not a span. */
const earliestUnixSeconds = 1e9
/** An error body is read that far for what it says of a limit. */
const readBytes = 2_048

/**
 * What an answer says of the quota that it was counted against, in whichever dialect; null where it says nothing.
 *
 * | dialect | says |
 * |---|---|
 * | Docker Hub | `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 20;w=21600`; a HEAD carries them too, and does not count |
 * | IETF | `RateLimit-Policy: "default";q=100;w=60` with `RateLimit: "default";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers-10); `limit=100, remaining=50, reset=5` (draft 7); `RateLimit-Limit: 100, 100;w=60` (draft 2) |
 * | GitLab | `RateLimit-Limit`, `-Remaining`, `-Observed`, and `-Reset` as a Unix time |
 * | `X-RateLimit-*` | hub.docker.com, api.github.com: limit, remaining, reset as a Unix time |
 * | GHCR | in the body of a 429: `retry-after: 880µs, allowed: 44000/minute` |
 * | ECR, ACR, Quay | a 429 that gives no numbers |
 *
 * @param kind whose registry it is; null where that is not known
 */
export function readQuota(
  { status, headers, body }: QuotaAnswer,
  kind: RegistryKind | null,
  nowMs: number,
): Quota | null {
  const combined = text(headers.ratelimit)
  if (combined !== null) return readStructured(combined, text(headers['ratelimit-policy']), nowMs)
  const limit = text(headers['ratelimit-limit'])
  if (limit !== null) return readSeparate(limit, headers, kind, nowMs)
  const xLimit = text(headers['x-ratelimit-limit'])
  if (xLimit !== null) {
    const remaining = wholeNumber(text(headers['x-ratelimit-remaining']))
    const resetAt = readReset(text(headers['x-ratelimit-reset']), nowMs)
    return { dialect: 'x-ratelimit', limit: wholeNumber(xLimit), windowMs: null, remaining, resetAt }
  }
  return status === 429 ? readRefusal(headers, body, kind) : null
}

function readSeparate(limit: string, headers: IncomingHttpHeaders, kind: RegistryKind | null, nowMs: number): Quota {
  const windowSeconds = wholeNumber(/;\s*w=(\d+)/.exec(limit)?.[1] ?? null)
  const windowMs = windowSeconds === null ? null : windowSeconds * 1_000
  const remaining = wholeNumber(text(headers['ratelimit-remaining']))
  const reset = text(headers['ratelimit-reset'])
  const isGitlab = kind === 'gitlab' || headers['ratelimit-observed'] !== undefined
  if (isGitlab) {
    return {
      dialect: 'gitlab',
      limit: wholeNumber(limit),
      windowMs: gitlabWindowMs,
      remaining,
      resetAt: readReset(reset, nowMs),
    }
  }
  const isHub = kind === 'docker-hub' || (reset === null && windowMs !== null)
  const dialect: QuotaDialect = isHub ? 'docker-hub' : 'ietf'
  return { dialect, limit: wholeNumber(limit), windowMs, remaining, resetAt: readReset(reset, nowMs) }
}

function readStructured(combined: string, policy: string | null, nowMs: number): Quota {
  const member = (of: string | null, ...names: readonly string[]) =>
    of === null ? null : wholeNumber(new RegExp(`\\b(?:${names.join('|')})\\s*=\\s*(\\d+)`).exec(of)?.[1] ?? null)
  const windowSeconds = member(policy, 'w')
  const resetSeconds = member(combined, 't', 'reset')
  return {
    dialect: 'ietf',
    limit: member(policy, 'q') ?? member(combined, 'limit') ?? wholeNumber(policy),
    windowMs: windowSeconds === null ? null : windowSeconds * 1_000,
    remaining: member(combined, 'r', 'remaining'),
    resetAt: resetSeconds === null ? null : nowMs + resetSeconds * 1_000,
  }
}

const unitsMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

function readRefusal(headers: IncomingHttpHeaders, body: Buffer, kind: RegistryKind | null): Quota {
  const said = body.toString('utf8', 0, readBytes)
  const [, count, unit] = /\ballowed:\s*(\d+)\s*\/\s*(second|minute|hour|day)\b/i.exec(said) ?? []
  const unknown = { limit: null, windowMs: null, remaining: null, resetAt: null }
  if (count !== undefined && unit !== undefined) {
    return { ...unknown, dialect: 'ghcr', limit: wholeNumber(count), windowMs: unitsMs[unit.toLowerCase()] ?? null }
  }
  if (/ThrottlingException|Rate exceeded/i.test(said)) return { ...unknown, dialect: 'ecr' }
  return { ...unknown, dialect: refusalOf(kind) ?? (headers['retry-after'] === undefined ? 'unnamed' : 'retry-after') }
}

function refusalOf(kind: RegistryKind | null): QuotaDialect | null {
  if (kind === 'ecr' || kind === 'ecr-public') return 'ecr'
  return kind === 'quay' || kind === 'acr' || kind === 'ghcr' || kind === 'docker-hub' || kind === 'gitlab'
    ? kind
    : null
}

/** Seconds from now, or a Unix time in seconds. */
function readReset(value: string | null, nowMs: number): number | null {
  const seconds = wholeNumber(value)
  if (seconds === null) return null
  return seconds > earliestUnixSeconds ? seconds * 1_000 : nowMs + seconds * 1_000
}

/** The number that a value begins with; null where it begins with none, or with one that no quota has. */
function wholeNumber(value: string | null): number | null {
  const [digits] = /^\s*\d{1,15}/.exec(value ?? '') ?? []
  return digits === undefined ? null : Number(digits)
}

function text(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** Looks that are compared before anything is concluded: answers of looks side by side come in any order. */
const comparedLooks = 16

/**
 * Finds out whether HEAD of a manifest counts against a quota: over a run of looks with nothing between, what remains falls by
 * one for each, or does not.
 */
export class HeadCount {
  #first: number | null = null
  #looks = 0

  /** Takes one answer; says what the run of looks came to, when it is long enough. */
  observe(method: 'GET' | 'HEAD', remaining: number | null): boolean | null {
    const isBroken = method !== 'HEAD' || remaining === null || (this.#first !== null && remaining > this.#first)
    if (isBroken) {
      this.#first = method === 'HEAD' ? remaining : null
      this.#looks = 0
      return null
    }
    if (this.#first === null) {
      this.#first = remaining
      return null
    }
    if (++this.#looks < comparedLooks) return null
    const fallen = this.#first - remaining
    this.#first = remaining
    this.#looks = 0
    // Others may use the same quota: a little is nobody's proof.
    return fallen >= comparedLooks / 2 ? true : fallen <= 1 ? false : null
  }
}
