import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { Fault } from '../core/fault.js'
import { readBody } from './body.js'
import { type AddressPolicy, guardedLookup, isAddress, requireAllowed, type Zone, zoneOf } from './guard.js'
import { networkFault } from './network-fault.js'
import { connectThrough, type HttpProxy } from './proxy.js'
import type { TlsOptions } from './tls.js'

/** How long each step may take. */
export interface Timeouts {
  /** To a connection that is ready to be written to, TLS included. */
  readonly connectMs: number
  /** Without a byte: to the headers, or between two parts of the body. */
  readonly idleMs: number
  /** For a whole body. */
  readonly bodyMs: number
}

/** One request on the wire. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly maxBodyBytes: number
  /** Whether the body of a success is handed over unread: then the reader bounds it, and frees it by reading or destroying it. */
  readonly isStreamed?: boolean
  readonly signal?: AbortSignal | undefined
}

/** What came back. */
export interface ExchangeResult {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Of an error status at most {@link errorBytes}. */
  readonly body: Buffer
  /** Of a success that was asked for as a stream. */
  readonly stream?: Readable
  /** Where the one who answered stands: it decides where it may point us to. */
  readonly zone: Exclude<Zone, 'forbidden'>
}

/** An error body is read for its code and first message only. */
const errorBytes = 64 * 1024

/** How a {@link Pool} connects. */
export interface PoolOptions {
  readonly origin: URL
  readonly connections: number
  readonly timeouts: Timeouts
  readonly tls: TlsOptions
  readonly proxy: HttpProxy | null
  readonly policy: AddressPolicy
}

/**
 * The kept connections to one origin. `node:http` and `node:https` agents: for HEADs they cost what undici costs, start in no
 * time and hold less memory (docs/decisions/0001).
 */
export class Pool {
  readonly #options: PoolOptions
  /** Asked for with each answer, and the same for as long as a connection lasts. */
  readonly #zones = new WeakMap<Socket, Exclude<Zone, 'forbidden'>>()
  readonly #agent: HttpAgent | HttpsAgent
  readonly #base: RequestOptions
  readonly #send: typeof httpRequest
  #isAllowed = false

  constructor(options: PoolOptions) {
    const { origin, proxy, policy, connections, timeouts } = options
    this.#options = options
    const isTls = origin.protocol === 'https:'
    const host = origin.hostname.replace(/^\[|\]$/g, '')
    const port = Number(origin.port || (isTls ? 443 : 80))
    // Made once: parsing some 150 roots for each connection would cost more than the handshake.
    const secureContext = isTls ? createSecureContext(mutable(options.tls)) : undefined
    const agentOptions = { keepAlive: true, maxSockets: connections, scheduling: 'lifo', timeout: 60_000 } as const
    this.#agent = isTls ? new HttpsAgent({ ...agentOptions, secureContext }) : new HttpAgent(agentOptions)
    this.#send = isTls ? httpsRequest : httpRequest
    const target = isTls || proxy === null ? { host, port } : { host: proxy.host, port: proxy.port }
    this.#base = {
      ...target,
      agent: this.#agent,
      timeout: timeouts.idleMs,
      lookup: guardedLookup(proxy === null ? policy : { ...policy, namedBy: 'user' }),
    }
    if (isTls && proxy !== null) {
      const secure = { secureContext, ...(isAddress(host) ? {} : { servername: host }) }
      this.#agent.createConnection = (_options, callback) => {
        connectThrough(proxy, { host, port }, secure, (error, socket) => callback?.(error, socket as Socket))
        return undefined
      }
    }
  }

  /**
   * Sends one request and reads its answer, whatever the status. A kept connection that the other side had closed
   * meanwhile is not a failure: the request is sent once more on a new one.
   * @throws Fault `unreachable`, `timeout`, `tls`, `broken-answer`, `too-large`, `forbidden-address`, `cancelled`
   */
  async exchange(exchange: Exchange): Promise<ExchangeResult> {
    const { origin } = this.#options
    this.#requireAllowed()
    for (let attempt = 1; ; attempt++) {
      const used = { again: false }
      try {
        return await this.#exchangeOnce(exchange, used)
      } catch (error) {
        if (!used.again || attempt > 3 || exchange.method === 'POST') throw networkFault(error, origin.host)
      }
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Neither address nor policy change: what was allowed once stays so. Names are looked at when they are looked up. */
  #requireAllowed(): void {
    const { origin, policy } = this.#options
    if (!this.#isAllowed && isAddress(origin.hostname)) requireAllowed(origin.hostname, origin.hostname, policy)
    this.#isAllowed = true
  }

  #exchangeOnce(exchange: Exchange, used: { again: boolean }): Promise<ExchangeResult> {
    const { origin, timeouts, proxy } = this.#options
    return new Promise((resolve, reject) => {
      const isPlainProxy = proxy !== null && origin.protocol === 'http:'
      const sent = this.#send({
        ...this.#base,
        method: exchange.method,
        path: isPlainProxy ? `${origin.origin}${exchange.path}` : exchange.path,
        headers: {
          host: origin.host,
          'accept-encoding': 'identity',
          ...(isPlainProxy && proxy.authorization && { 'proxy-authorization': proxy.authorization }),
          ...(exchange.body !== undefined && { 'content-length': String(Buffer.byteLength(exchange.body)) }),
          ...exchange.headers,
        },
      })
      const { signal } = exchange
      const onAbort = () => sent.destroy(new Fault('cancelled', 'cancelled', { cause: signal?.reason }))
      const end = () => signal?.removeEventListener('abort', onAbort)
      const fail = (error: unknown) => {
        end()
        reject(error)
      }
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      sent.on('timeout', () => sent.destroy(timedOut(origin.host, timeouts.idleMs)))
      sent.on('socket', (socket) => {
        if (socket.connecting)
          limitConnect(socket, () => sent.destroy(timedOut(origin.host, timeouts.connectMs)), timeouts)
      })
      sent.on('error', (error) => {
        used.again = sent.reusedSocket && isStale(error)
        fail(error)
      })
      sent.on('response', (response) => {
        const status = response.statusCode ?? 0
        const zone = this.#zoneOf(response.socket)
        if (exchange.method === 'HEAD') {
          response.resume()
          response.once('end', () => {
            end()
            resolve({ status, headers: response.headers, body: noBody, zone })
          })
          response.once('error', fail)
          return
        }
        if (exchange.isStreamed && status < 300) {
          response.once('close', end)
          resolve({ status, headers: response.headers, body: noBody, stream: response, zone })
          return
        }
        if (status === 416) {
          // Nothing in its body matters, and distribution 2.8 promises the whole blob's length and sends a few bytes.
          response.destroy()
          end()
          resolve({ status, headers: response.headers, body: noBody, zone })
          return
        }
        const timer = setTimeout(() => response.destroy(timedOut(origin.host, timeouts.bodyMs)), timeouts.bodyMs)
        const isError = status >= 300
        readBody(response, isError ? errorBytes : exchange.maxBodyBytes, isError)
          .then((body) => resolve({ status, headers: response.headers, body, zone }), reject)
          .finally(() => {
            clearTimeout(timer)
            end()
          })
      })
      sent.end(exchange.body)
    })
  }

  /** By the address that is connected to; behind a proxy by what the name itself tells. */
  #zoneOf(socket: Socket): Exclude<Zone, 'forbidden'> {
    const known = this.#zones.get(socket)
    if (known !== undefined) return known
    const { proxy, origin } = this.#options
    const found = proxy === null ? zoneOf(socket.remoteAddress ?? '') : zoneOf(origin.hostname)
    const zone = found === 'forbidden' ? 'public' : found
    this.#zones.set(socket, zone)
    return zone
  }
}

const noBody = Buffer.alloc(0)

function limitConnect(socket: Socket, onTimeout: () => void, timeouts: Timeouts): void {
  const timer = setTimeout(onTimeout, timeouts.connectMs)
  const ready = 'encrypted' in socket ? 'secureConnect' : 'connect'
  const stop = () => clearTimeout(timer)
  socket.once(ready, stop)
  socket.once('close', stop)
}

function timedOut(host: string, afterMs: number): Fault {
  return new Fault('timeout', `${host} did not answer within ${afterMs / 1000} s`, { data: { host } })
}

function isStale(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function mutable(tls: TlsOptions): { ca?: string[]; cert?: string; key?: string } {
  return { ...tls, ...(tls.ca && { ca: [...tls.ca] }) } as { ca?: string[]; cert?: string; key?: string }
}
