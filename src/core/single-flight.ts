/**
 * Runs one piece of work for all who ask for the same key at the same time. The work is cancelled when the last of them
 * has gone, and not before: one impatient caller does not fail the others.
 */
export class SingleFlight<Key, Value> {
  readonly #flights = new Map<
    Key,
    { readonly result: Promise<Value>; readonly abort: AbortController; waiting: number }
  >()

  /** Joins the flight of `key`, or begins it with `work`. Rejects with the signal's reason when the caller goes first. */
  async run(key: Key, work: (signal: AbortSignal) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    signal?.throwIfAborted()
    let flight = this.#flights.get(key)
    if (flight === undefined) {
      const abort = new AbortController()
      const result = work(abort.signal).finally(() => {
        if (this.#flights.get(key)?.abort === abort) this.#flights.delete(key)
      })
      flight = { result, abort, waiting: 0 }
      this.#flights.set(key, flight)
    }
    return await this.#wait(key, flight, signal)
  }

  async #wait(
    key: Key,
    flight: { readonly result: Promise<Value>; readonly abort: AbortController; waiting: number },
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    flight.waiting++
    let onAbort: (() => void) | undefined
    const gone = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await (signal === undefined ? flight.result : Promise.race([flight.result, gone]))
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
      flight.waiting--
      if (flight.waiting === 0 && this.#flights.get(key) === flight) {
        this.#flights.delete(key)
        flight.result.catch(() => undefined)
        flight.abort.abort()
      }
    }
  }
}
