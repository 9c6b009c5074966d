/** One request that was answered (or broken off). */
export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  /** Milliseconds since the epoch, when it arrived. */
  readonly at: number
}

/** What was asked of the registry: counts for ever, the requests themselves as far back as memory should go. */
export class RequestLog {
  static readonly #kept = 10_000
  readonly #counts = new Map<string, number>()
  #requests: LoggedRequest[] = []
  /** Connections that were accepted. */
  connections = 0

  /** Notes a request of `kind` (`manifest`, `token` …). */
  add(kind: string, request: LoggedRequest): void {
    const key = `${request.method} ${kind}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    this.#requests.push(request)
    if (this.#requests.length > 2 * RequestLog.#kept) this.#requests = this.#requests.slice(-RequestLog.#kept)
  }

  /** Requests by method and kind: `{'HEAD manifest': 3}`. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }

  /** All requests, or those of one method and kind. */
  count(key?: string): number {
    if (key !== undefined) return this.#counts.get(key) ?? 0
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The latest requests, oldest first. */
  latest(): readonly LoggedRequest[] {
    return this.#requests.slice(-RequestLog.#kept)
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.clear()
    this.#requests = []
    this.connections = 0
  }
}
