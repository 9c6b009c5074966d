import type { Clock, Random } from '../core/clock.js'
import { Lane } from '../http/lane.js'
import type { Credential } from './credentials/credential.js'

/** Requests to one host at a time, where the configuration does not say: what the peers' floor was measured with. */
export const defaultConcurrency = 16

/** The lanes of hosts: one for each host and credential, whatever is asked for there. */
export class Lanes {
  readonly #clock: Clock
  readonly #random: Random
  readonly #lanes = new Map<string, Lane>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /**
   * The lane of a host and a credential.
   * @param host as it is connected to, with its port where that is not the usual one
   */
  of(host: string, credential: Credential, slots: number): Lane {
    const key = `${host} ${credential.key}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane(host, slots, this.#clock, this.#random)
      this.#lanes.set(key, lane)
    }
    return lane
  }

  /** Until when nothing is sent to `host`, in milliseconds since the epoch; null when it is open. Of several credentials the latest. */
  pausedUntil(host: string): number | null {
    let latest: number | null = null
    for (const [key, lane] of this.#lanes) {
      if (!key.startsWith(`${host} `)) continue
      const until = lane.pausedUntil
      if (until !== null && (latest === null || until > latest)) latest = until
    }
    return latest
  }
}
