import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Random, systemClock } from '../../src/core/clock.js'
import type { Digest } from '../../src/core/digest.js'
import { Access } from '../../src/test-registry/access.js'
import { type Answer, empty, ociError, type RegistryRequest } from '../../src/test-registry/answer.js'
import { Content } from '../../src/test-registry/content.js'
import { answer, parseTarget, type Target } from '../../src/test-registry/route.js'
import type { Misdeed, Script } from '../../src/test-registry/script.js'
import { applyMisdeed, sendAnswer } from '../../src/test-registry/send-answer.js'
import { Uploads } from '../../src/test-registry/write.js'

/** How one host of the soak behaves. */
export interface UnrulyOptions {
  /** Of requests that get something else than an honest answer at once. */
  readonly errorShare: number
  readonly random: Random
  readonly script: Script
}

/** A span in which the host has asked to be left alone. */
export interface AskedPause {
  readonly from: number
  until: number
  /** Requests that came right after it, sent before its answer was read. */
  inFlight: number
  /** Requests that came later, and before its end. */
  readonly undercuts: string[]
}

/** A request that was not answered as it should have been. `key`: the tag, where it was about one. */
interface Trouble {
  readonly at: number
  readonly key: string | null
}

/**
 * So long after a refusal, requests may come that were sent before it was read: one for each of the client's 16 slots, and one more
 * where other answers were read in the same turn, before it.
 */
const inFlightMs = 1_000
const mostInFlight = 32
/** A host that fails so often in a row, as far as it can tell the order, may be left alone for a while. */
const failuresInRow = 3
const proxyPage = '<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>'
const html = { 'content-type': 'text/html' }

/** What befalls requests by chance; a slow answer is an honest one. */
const misdeeds: readonly Misdeed[] = [
  { status: 500, body: '{"errors":[{"code":"UNKNOWN"}]}' },
  { status: 502, headers: html, body: '<html><h1>502 Bad Gateway</h1></html>' },
  { status: 503 },
  { status: 404, headers: html, body: proxyPage },
  { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}' },
  { reset: true },
  { truncate: 20 },
  { delay: '300ms' },
  { delay: '1500ms' },
]
/** The registry has no such manifest, for one look: as one that is being restored. */
const forgets: Misdeed = { status: 404 }
/**
 * What a tag answers whose manifest cannot be had for a while, and how many such answers make a look give up: what is asked again,
 * up to four times, and once more each where a kept connection breaks; what is told at once, or by a GET after the HEAD.
 */
const outageMisdeeds: readonly { readonly misdeed: Misdeed; readonly looksFail: number }[] = [
  { misdeed: { status: 500 }, looksFail: 5 },
  { misdeed: { status: 404, headers: html, body: proxyPage }, looksFail: 3 },
  { misdeed: { reset: true }, looksFail: 8 },
  { misdeed: { status: 403, body: '{"errors":[{"code":"DENIED"}]}' }, looksFail: 3 },
]

/** A registry on loopback that fails by chance, asks to be left alone, and knows what it has answered. */
export class UnrulyRegistry {
  readonly content = new Content()
  readonly pauses: AskedPause[] = []
  readonly troubles: Trouble[] = []
  /** When it had failed several times in a row. */
  readonly breaks: number[] = []
  /** Which tag a manifest was made for. */
  readonly tagOfDigest = new Map<Digest, string>()
  requests = 0
  address = ''
  /** Whether its lists of tags say what each points at. */
  readonly hasLists: boolean
  readonly #options: UnrulyOptions
  readonly #access: Access
  readonly #uploads = new Uploads()
  readonly #outages = new Map<string, Misdeed>()
  /** Tags whose manifest one look does not find, as in a registry that is being restored. */
  readonly #forgotten = new Set<string>()
  #wanted: { readonly seconds: number; readonly isDate: boolean } | null = null
  #isBehaving = false
  #failures = 0
  #server: Server | null = null

  constructor(options: UnrulyOptions) {
    this.#options = options
    this.hasLists = options.script.digests !== undefined
    this.#access = new Access(options.script, systemClock)
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    server.keepAliveTimeout = 60_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    this.#server = server
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === null) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  /** The next request is told to come back later, in whole seconds or by a date. */
  askToWait(seconds: number, isDate: boolean): void {
    this.#wanted = { seconds, isDate }
  }

  /** From now on it answers as it should. */
  behave(): void {
    this.#isBehaving = true
    this.#wanted = null
  }

  get isPaused(): boolean {
    return this.#wanted !== null || (this.pauses.at(-1)?.until ?? 0) > systemClock.now()
  }

  /**
   * From now on nothing is told of `key` (`path:tag`), until {@link endOutage}.
   * @returns after how many failed requests a look has certainly given up
   */
  beginOutage(key: string): number {
    const { misdeed, looksFail } = pick(outageMisdeeds, this.#options.random)
    this.#outages.set(key, misdeed)
    return looksFail
  }

  endOutage(key: string): void {
    this.#outages.delete(key)
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = systemClock.now()
    this.requests++
    const isTold = this.#count(at, `${incoming.method} ${incoming.url}`)
    incoming.resume()
    const method = incoming.method ?? 'GET'
    const url = new URL(incoming.url ?? '/', `http://${this.address}`)
    const path = decodeURIComponent(url.pathname)
    const target: Target | { readonly kind: 'token' } = path === '/token' ? { kind: 'token' } : parseTarget(path)
    const body = new Uint8Array(0)
    const { origin } = url
    const request: RegistryRequest = { method, path, query: url.searchParams, headers: incoming.headers, body, origin }
    const key = this.#keyOf(target)
    const refusal = isTold ? null : this.#refusal(at)
    if (refusal !== null) {
      this.#note(at, key)
      return await sendAnswer(response, refusal, method === 'HEAD', undefined, systemClock)
    }
    const misdeed = isTold ? undefined : this.#misdeed(key, target, method)
    if (misdeed === forgets) {
      this.#note(at, key)
      const unknown = ociError(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
      return await sendAnswer(response, unknown, method === 'HEAD', undefined, systemClock)
    }
    this.#countFailures(misdeed)
    if (misdeed !== undefined && misdeed.delay === undefined) this.#note(systemClock.now(), key)
    // What a slow answer says may be of its beginning or of its end.
    const early = misdeed?.delay !== undefined && this.#options.random() < 0.5 ? this.#answer(target, request) : null
    if (misdeed?.delay !== undefined) await systemClock.sleep(Number.parseInt(misdeed.delay, 10))
    if (misdeed?.reset || (misdeed?.truncate !== undefined && method === 'HEAD')) {
      incoming.socket.destroy()
      return
    }
    const honest = early ?? this.#answer(target, request)
    const final = misdeed === undefined ? honest : applyMisdeed(honest, misdeed, at)
    await sendAnswer(response, final, method === 'HEAD', misdeed, systemClock)
  }

  #answer(target: Target | { readonly kind: 'token' }, request: RegistryRequest): Answer {
    if (target.kind === 'token') return this.#access.token(request)
    const { script } = this.#options
    return this.#access.refuse(request, target.name) ?? answer(target, request, this.content, this.#uploads, script)
  }

  /** `path:tag` of what a request is about, by tag or by digest. */
  #keyOf(target: Target | { readonly kind: 'token' }): string | null {
    if (target.kind !== 'manifest') return null
    const { name = '', reference = '' } = target
    return this.tagOfDigest.get(reference as Digest) ?? `${name}:${reference}`
  }

  /** Counts a request that comes while the host wants none; whether it does. */
  #count(at: number, what: string): boolean {
    const pause = this.pauses.at(-1)
    if (pause === undefined || at >= pause.until) return false
    if (at - pause.from <= inFlightMs && pause.inFlight < mostInFlight) pause.inFlight++
    else
      pause.undercuts.push(
        `${what} ${at - pause.from} ms after ${this.address} asked for ${pause.until - pause.from} ms`,
      )
    return true
  }

  #countFailures(misdeed: Misdeed | undefined): void {
    const isFailure = misdeed?.reset || misdeed?.truncate !== undefined || (misdeed?.status ?? 0) >= 500
    this.#failures = isFailure ? this.#failures + 1 : 0
    if (this.#failures >= failuresInRow) this.breaks.push(systemClock.now())
  }

  #refusal(at: number): Answer | null {
    const wanted = this.#wanted
    if (wanted === null) return null
    this.#wanted = null
    const endMs = at + wanted.seconds * 1_000
    const until = wanted.isDate ? Math.ceil(endMs / 1_000) * 1_000 : endMs
    this.pauses.push({ from: at, until, inFlight: 0, undercuts: [] })
    const status = this.#options.random() < 0.8 ? 429 : 503
    const retryAfter = wanted.isDate ? new Date(until).toUTCString() : String(wanted.seconds)
    return empty(status, { 'retry-after': retryAfter })
  }

  #misdeed(
    key: string | null,
    { reference }: { readonly kind: string; readonly reference?: string },
    method: string,
  ): Misdeed | undefined {
    const outage = key === null ? undefined : this.#outages.get(key)
    if (outage !== undefined) return outage
    const { random, errorShare } = this.#options
    const isByTag = key !== null && !this.tagOfDigest.has(reference as Digest)
    if (isByTag && this.#forgotten.has(key)) {
      // One look asks twice: HEAD, and GET for the reason. The next one is told the truth.
      if (method === 'GET') return forgets
      this.#forgotten.delete(key)
      return undefined
    }
    if (this.#isBehaving || random() >= errorShare) return undefined
    const misdeed = pick(isByTag && method === 'HEAD' ? [...misdeeds, forgets] : misdeeds, random)
    if (misdeed === forgets && key !== null) this.#forgotten.add(key)
    return misdeed
  }

  #note(at: number, key: string | null): void {
    this.troubles.push({ at, key })
  }
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)] as Item
}
