import type { Clock } from '../../core/clock.js'
import { Fault, isFault } from '../../core/fault.js'
import { SingleFlight } from '../../core/single-flight.js'
import type { Credential } from './credential.js'

/** A credential that was fetched, and when it ends, in milliseconds since the epoch. */
export interface FetchedCredential {
  readonly credential: Credential
  readonly untilMs: number
}

interface Kept {
  readonly found: Credential | null | Fault
  readonly untilMs: number
  readonly renewAt: number
}

/** Renewed that long before the end, or at half of what is left of a short life. */
const renewEarlyMs = 5 * 60_000
/** A credential that has ended when it comes (our clock is wrong, or the server's) is used, and not fetched at once again. */
const leastKeptMs = 30_000
/** Where nothing was configured it is not looked for again with each repository. */
const nothingKeptMs = 5 * 60_000
/** A refusal is told to all who ask within that time: ten thousand tags must not be ten thousand log-ins. */
const faultKeptMs = 30_000

/** Fetched credentials: once for all who ask, again some minutes before they end, never held longer than they live. */
export class Renewal {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()
  readonly #flights = new SingleFlight<string, Credential | null>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The credential of `key`, fetched if need be; null where `fetch` finds that nothing is configured. While an old one lives
   * it stands in for one that cannot be fetched for a passing reason.
   * @throws Fault what `fetch` throws
   */
  async get(
    key: string,
    fetch: (signal: AbortSignal) => Promise<FetchedCredential | null>,
    signal?: AbortSignal,
  ): Promise<Credential | null> {
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.renewAt > this.#clock.now()) {
      if (kept.found instanceof Fault) throw kept.found
      return kept.found
    }
    return await this.#flights.run(key, (flight) => this.#fetch(key, fetch, flight), signal)
  }

  async #fetch(
    key: string,
    fetch: (signal: AbortSignal) => Promise<FetchedCredential | null>,
    signal: AbortSignal,
  ): Promise<Credential | null> {
    try {
      const fetched = await fetch(signal)
      if (fetched === null) return this.#keep(key, null, 0, this.#clock.now() + nothingKeptMs)
      return this.#lend(key, fetched)
    } catch (error) {
      if (!isFault(error) || error.code === 'cancelled') throw error
      const now = this.#clock.now()
      const old = this.#kept.get(key)
      const isAlive = old !== undefined && !(old.found instanceof Fault) && old.found !== null && old.untilMs > now
      if (isAlive && error.kind.retryable) return this.#keep(key, old.found, old.untilMs, now + faultKeptMs)
      this.#kept.set(key, { found: error, untilMs: 0, renewAt: now + faultKeptMs })
      throw error
    }
  }

  #lend(key: string, { credential, untilMs }: FetchedCredential): Credential | null {
    const now = this.#clock.now()
    const leftMs = untilMs - now
    const renewAt = now + Math.max(leftMs - Math.min(renewEarlyMs, leftMs / 2), leastKeptMs)
    const lent: Credential = {
      ...credential,
      lease: {
        fetchedAt: now,
        renewAt,
        forget: () => {
          if (this.#kept.get(key)?.found === lent) this.#kept.delete(key)
        },
      },
    }
    return this.#keep(key, lent, untilMs, renewAt)
  }

  #keep(key: string, found: Credential | null, untilMs: number, renewAt: number): Credential | null {
    this.#kept.set(key, { found, untilMs, renewAt })
    return found
  }
}
