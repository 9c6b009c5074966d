/**
 * In which words a host tells of its quota. `retry-after`: it only says when to come again; `unnamed`: it refused, and said
 * nothing.
 */
export const quotaDialects = [
  'docker-hub',
  'ghcr',
  'quay',
  'ecr',
  'acr',
  'gitlab',
  'ietf',
  'x-ratelimit',
  'retry-after',
  'unnamed',
] as const

/** See {@link quotaDialects}. */
export type QuotaDialect = (typeof quotaDialects)[number]

/** How a host limits requests, as far as it says. */
export interface QuotaRule {
  readonly dialect: QuotaDialect
  /** Requests in a window; null where it does not say. */
  readonly limit: number | null
  /** How long a window is; null where it does not say. */
  readonly windowMs: number | null
}

/** What a host said of its quota in one answer. */
export interface Quota extends QuotaRule {
  /** Requests that are left in this window; null where it does not say. */
  readonly remaining: number | null
  /** When the window ends, in milliseconds since the epoch; null where it does not say. */
  readonly resetAt: number | null
}
