const hourMs = 3_600_000
/** What may be spent at once after a quiet while. */
const burstMs = 60_000

/** A budget of requests an hour, spent evenly: unspent ones are kept for a minute. */
export class Pace {
  readonly #everyMs: number
  readonly #burst: number
  #left: number
  #at: number | null = null

  /** @param perHour requests; above 0 */
  constructor(perHour: number) {
    this.#everyMs = hourMs / perHour
    this.#burst = Math.max(1, burstMs / this.#everyMs)
    this.#left = this.#burst
  }

  /** When the next request may be made, at `now` or later. */
  nextAt(now: number): number {
    this.#earn(now)
    // A whole millisecond later at least, or whoever waits for it would ask again and again.
    return this.#left >= 1 ? now : now + Math.max(1, Math.ceil((1 - this.#left) * this.#everyMs))
  }

  /** Counts a request that is made. */
  spend(now: number): void {
    this.#earn(now)
    this.#left--
  }

  #earn(now: number): void {
    const passedMs = Math.max(0, now - (this.#at ?? now))
    this.#left = Math.min(this.#burst, this.#left + passedMs / this.#everyMs)
    this.#at = now
  }
}
