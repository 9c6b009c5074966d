import { Fault } from '../core/fault.js'

/** How often one key may do something. */
export interface RateLimitOptions {
  /** At most so many at once, */
  readonly burst: number
  /** and so many a minute in the long run. */
  readonly perMinute: number
  /** Keys that are remembered; those that were quiet longest are forgotten first. 100 bytes each. */
  readonly maxKeys?: number
  /** What there are too many of, and what to do then: for the message. Requests for tokens when left out. */
  readonly of?: { readonly what: string; readonly fix: string }
}

/** Counts what each key does. */
export interface RateLimit {
  /**
   * Takes one for `key`, at `now` (milliseconds).
   * @throws Fault `rate-limited` with `data.retryAfterMs`
   */
  take(key: string, now: number): void
}

/** For the token endpoints, for each address: a build that pulls hundreds of images at once is served, a guesser is not. */
export const tokenRate: RateLimitOptions = { burst: 600, perMinute: 300 }

interface Bucket {
  tokens: number
  at: number
}

const defaultMaxKeys = 10_000
const forTokens = {
  what: 'requests for tokens',
  fix: 'Keep a token until it expires instead of asking for a new one each time.',
}

/**
 * A bucket for each key, a client's address for example, that fills steadily. Memory is bounded: whoever comes from a million
 * addresses pushes out the buckets of others, which then are full again.
 */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { burst, perMinute, maxKeys = defaultMaxKeys, of = forTokens } = options
  const buckets = new Map<string, Bucket>()
  const perMs = perMinute / 60_000
  return {
    take(key, now) {
      const bucket = buckets.get(key) ?? { tokens: burst, at: now }
      bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs)
      bucket.at = now
      // A Map keeps the order of insertion: the first is the one that was quiet longest.
      buckets.delete(key)
      buckets.set(key, bucket)
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value ?? key)
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        return
      }
      const retryAfterMs = Math.ceil((1 - bucket.tokens) / perMs)
      throw new Fault('rate-limited', `too many ${of.what}; ask again in ${Math.ceil(retryAfterMs / 1000)} s`, {
        fix: of.fix,
        data: { retryAfterMs },
      })
    },
  }
}
