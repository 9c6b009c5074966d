import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Clock, Random } from '../core/clock.js'
import type { Cost } from '../core/cost.js'
import { Fault, isFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import type { AddressPolicy, AllowedNetworks, Zone } from './guard.js'
import type { Lane, Priority } from './lane.js'
import { type ExchangeResult, Pool, type Timeouts } from './pool.js'
import { proxyFor } from './proxy.js'
import { readRedirect } from './redirect.js'
import { parseRetryAfter } from './retry-after.js'
import type { TlsOptions } from './tls.js'

/** One request to an origin, through a lane. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly maxBodyBytes: number
  /** Whether the body of a success is handed over unread; it keeps its slot of the lane until it is read, or destroyed. */
  readonly isStreamed?: boolean
  readonly lane: Lane
  readonly priority: Priority
  /** How long a pause of the lane may be waited out, in milliseconds. */
  readonly maxWaitMs: number
  /** Who named the target: see the address guard. */
  readonly namedBy: AddressPolicy['namedBy']
  readonly tls: TlsOptions
  readonly cost: Cost
  /** Whether redirects of GET and HEAD are followed; true when left out. */
  readonly isRedirected?: boolean
  /** How often it is sent at most; 4 when left out. */
  readonly attempts?: number
  readonly signal?: AbortSignal | undefined
}

/** The answer at the end of all retries and redirects, whatever its status. */
export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Of a success that was asked for as a stream; whoever reads it counts its bytes. */
  readonly stream?: Readable
  /** Whose answer it is, after redirects. */
  readonly url: URL
  readonly zone: Exclude<Zone, 'forbidden'>
}

/** The only door to the network. */
export interface Http {
  /**
   * Sends a request: waits for its lane, retries what may pass (network errors, 408, 429, 500, 502, 503, 504) with full-jitter
   * exponential back-off, follows redirects of GET and HEAD without taking credentials to another origin.
   * @throws Fault `rate-limited`, `unreachable`, `timeout`, `tls`, `broken-answer`, `too-large`, `forbidden-address`, `cancelled`
   */
  send(request: HttpRequest): Promise<HttpResponse>
  close(): void
}

/** What {@link createHttp} is made of. */
export interface HttpOptions {
  readonly clock: Clock
  readonly random: Random
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly allow: AllowedNetworks
  /** Connections to one origin. */
  readonly connections: number
  readonly timeouts?: Timeouts
}

/** go-containerregistry and containerd dial for 30 s; ten are enough to tell a dead host, and CI waits less. */
const defaultTimeouts: Timeouts = { connectMs: 10_000, idleMs: 30_000, bodyMs: 120_000 }
const defaultAttempts = 4
const backoffFirstMs = 500
const backoffLongestMs = 10_000
const retryStatuses = new Set([408, 429, 500, 502, 503, 504])
/** Headers that stay with their origin. */
const credentialHeaders = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** Opens the door. */
export function createHttp(options: HttpOptions): Http {
  return new HttpSender(options)
}

class HttpSender implements Http {
  readonly #options: HttpOptions
  readonly #pools = new Map<string, Pool>()

  constructor(options: HttpOptions) {
    this.#options = options
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    let { url, headers, namedBy } = request
    for (let hops = 0; ; hops++) {
      const hop = { ...request, url, headers, namedBy }
      const result = await this.#sendRetrying(hop)
      const isFollowed = request.isRedirected !== false && (request.method === 'GET' || request.method === 'HEAD')
      const redirect = isFollowed ? readRedirect(url, result.status, result.headers.location) : null
      if (redirect === null) return { ...result, url }
      if (hops >= limits.redirects) throw new Fault('broken-answer', `${request.url.host} redirects in circles`)
      if (redirect.isForeign) {
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !credentialHeaders.has(name)))
        namedBy = result.zone
      }
      url = redirect.url
    }
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close()
    this.#pools.clear()
  }

  async #sendRetrying(request: HttpRequest): Promise<ExchangeResult> {
    const { clock } = this.#options
    const { attempts = defaultAttempts } = request
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= attempts
      try {
        const result = await this.#sendOnce(request)
        if (!retryStatuses.has(result.status) || isLast) return result
      } catch (error) {
        if (isLast || !isFault(error, 'unreachable', 'timeout') || error.data.until !== undefined) throw error
      }
      // A paused lane is waited for when it is entered again; any other trouble is waited out here, by chance.
      if (request.lane.pausedUntil === null) await clock.sleep(this.#backoffMs(attempt), request.signal)
    }
  }

  async #sendOnce(request: HttpRequest): Promise<ExchangeResult> {
    const { lane, cost } = request
    const entry = { priority: request.priority, maxWaitMs: request.maxWaitMs, signal: request.signal }
    const entered = lane.acquire(entry)
    const release = typeof entered === 'function' ? entered : await entered
    let isHeld = false
    try {
      cost.requests++
      const { url } = request
      const result = await this.#pool(request).exchange({
        method: request.method,
        path: `${url.pathname}${url.search}`,
        headers: request.headers,
        body: request.body,
        maxBodyBytes: request.maxBodyBytes,
        ...(request.isStreamed && { isStreamed: true }),
        signal: request.signal,
      })
      if (result.stream !== undefined) {
        isHeld = true
        result.stream.once('close', release)
      }
      cost.bytes += result.body.byteLength
      this.#learn(lane, result, url.host)
      return result
    } catch (error) {
      if (isFault(error, 'unreachable', 'timeout', 'tls')) lane.failed(error)
      throw error
    } finally {
      if (!isHeld) release()
    }
  }

  /** What an answer says about its host: that it lives, that it is broken, or that it wants to be left alone. */
  #learn(lane: Lane, result: ExchangeResult, host: string): void {
    const { status, headers } = result
    const untilMs = parseRetryAfter(headers, result.body.toString('utf8', 0, 2_048), status, this.#options.clock.now())
    if (untilMs !== null) lane.pause(untilMs)
    else if (status === 429) lane.pauseWithoutHint()
    if (status >= 500) lane.failed(new Fault('broken-answer', `${host} answers ${status}`, { data: { host, status } }))
    else if (status !== 429) lane.succeeded()
  }

  #backoffMs(attempt: number): number {
    return this.#options.random() * Math.min(backoffFirstMs * 2 ** (attempt - 1), backoffLongestMs)
  }

  /** One pool for each origin, and another where the guard or the certificates differ. */
  #pool(request: HttpRequest): Pool {
    const { url, namedBy, tls } = request
    const key = `${url.protocol}//${url.host} ${namedBy} ${tls.cert ?? ''}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      const { environment, allow, connections, timeouts = defaultTimeouts } = this.#options
      const policy = { namedBy, allow }
      // A proxy's metadata service would be the proxy's machine, not ours.
      const proxy = namedBy === 'metadata' ? null : proxyFor(url, environment)
      pool = new Pool({ origin: url, connections, timeouts, tls, policy, proxy })
      this.#pools.set(key, pool)
    }
    return pool
  }
}
