import type { Clock } from '../core/clock.js'
import type { Cost } from '../core/cost.js'
import { Fault, oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { redactUrl } from '../core/secret.js'
import { SingleFlight } from '../core/single-flight.js'
import type { AddressPolicy } from '../http/guard.js'
import type { Lane } from '../http/lane.js'
import type { Http, HttpResponse } from '../http/send.js'
import type { TlsOptions } from '../http/tls.js'
import type { Credential } from './credentials/credential.js'

/** What a token is asked for. */
export interface TokenRequest {
  readonly realm: URL
  readonly service: string | null
  /** `repository:library/nginx:pull`; null to ask for nothing, which shows whether the credential is taken. */
  readonly scope: string | null
  readonly credential: Credential
  /** Whether the realm is of the registry's own origin, and where the registry stands that named it. */
  readonly namedBy: AddressPolicy['namedBy']
  readonly tls: TlsOptions
  readonly cost: Cost
  readonly maxWaitMs: number
  /** How often it is sent at most; `Http` decides when left out. */
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** How long a token lasts. */
export interface TokenLifetime {
  readonly lifetimeMs: number
  /** Whether the token server said so, or we assume it. */
  readonly isTold: boolean
}

interface CachedToken extends TokenLifetime {
  readonly token: string
  readonly renewAt: number
}

/** distribution v3, spec/auth/token.md: the lifetime where the answer gives none, and the least that clients assume. */
const leastLifetimeMs = 60_000
/** Renewed that long before the end, so that no request leaves with a token that dies on the way. */
const renewEarlyMs = 10_000
const clientId = 'tidemark'

/**
 * Bearer tokens, kept by realm, service, scope and credential, fetched once for all who wait: distribution v3,
 * spec/auth/{token,oauth}.md.
 */
export class Tokens {
  readonly #http: Http
  readonly #clock: Clock
  readonly #laneOf: (realm: URL, credential: Credential) => Lane
  readonly #cache = new Map<string, CachedToken>()
  readonly #flights = new SingleFlight<string, CachedToken>()

  constructor(http: Http, clock: Clock, laneOf: (realm: URL, credential: Credential) => Lane) {
    this.#http = http
    this.#clock = clock
    this.#laneOf = laneOf
  }

  /**
   * A token that is good for a while; a new one when `refused` is the one we have.
   * @throws Fault `denied`, `broken-answer`, and what sending throws
   */
  async get(request: TokenRequest, refused?: string): Promise<string> {
    return (await this.#cached(request, refused)).token
  }

  /** How long the token lasts that {@link Tokens.get} gives, which is fetched where there is none. Throws as that. */
  async lifetime(request: TokenRequest): Promise<TokenLifetime> {
    const { lifetimeMs, isTold } = await this.#cached(request)
    return { lifetimeMs, isTold }
  }

  /** `text` without the tokens that are kept. */
  conceal(text: string): string {
    return [...this.#cache.values()].reduce((shown, { token }) => shown.replaceAll(token, '***'), text)
  }

  async #cached(request: TokenRequest, refused?: string): Promise<CachedToken> {
    const key = [request.realm.href, request.service ?? '', request.scope ?? '', request.credential.key].join(' ')
    const cached = this.#cache.get(key)
    if (cached !== undefined && cached.renewAt > this.#clock.now() && cached.token !== refused) return cached
    return await this.#flights.run(
      key,
      async (signal) => {
        const fetched = await this.#fetch({ ...request, signal })
        this.#forgetExpired()
        this.#cache.set(key, fetched)
        return fetched
      },
      request.signal,
    )
  }

  #forgetExpired(): void {
    if (this.#cache.size < 10_000) return
    const now = this.#clock.now()
    for (const [key, { renewAt }] of this.#cache) if (renewAt <= now) this.#cache.delete(key)
  }

  async #fetch(request: TokenRequest): Promise<CachedToken> {
    const askedAt = this.#clock.now()
    const { credential } = request
    if (credential.kind === 'identity-token') {
      const answer = await this.#post(request, credential.token.reveal())
      if (answer.status !== 404 && answer.status !== 405) return this.#read(answer, request, askedAt)
    }
    return this.#read(await this.#get(request), request, askedAt)
  }

  #get(request: TokenRequest): Promise<HttpResponse> {
    const url = new URL(request.realm)
    if (request.service !== null) url.searchParams.set('service', request.service)
    // Each scope is a parameter of its own: Quay refuses two in one.
    if (request.scope !== null) url.searchParams.append('scope', request.scope)
    return this.#send(request, 'GET', url, basicHeader(request.credential))
  }

  #post(request: TokenRequest, refreshToken: string): Promise<HttpResponse> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      service: request.service ?? '',
      client_id: clientId,
      ...(request.scope !== null && { scope: request.scope }),
      refresh_token: refreshToken,
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.#send(request, 'POST', request.realm, headers, form.toString())
  }

  #send(
    request: TokenRequest,
    method: 'GET' | 'POST',
    url: URL,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<HttpResponse> {
    const { tls, cost, maxWaitMs, attempts, signal, namedBy, credential } = request
    return this.#http.send({
      ...{ method, url, headers: { accept: 'application/json', 'user-agent': 'tidemark', ...headers }, tls, cost },
      ...{ maxBodyBytes: limits.tokenBytes, lane: this.#laneOf(request.realm, credential), priority: 'head' },
      ...{ maxWaitMs, signal, namedBy },
      ...(attempts !== undefined && { attempts }),
      ...(body !== undefined && { body }),
    })
  }

  #read(answer: HttpResponse, request: TokenRequest, askedAt: number): CachedToken {
    const where = redactUrl(new URL(request.realm.origin + request.realm.pathname))
    if (answer.status === 429) throw new Fault('rate-limited', `the token server ${where} asks us to wait`)
    if (answer.status >= 500) throw new Fault('broken-answer', `the token server ${where} answers ${answer.status}`)
    if (answer.status !== 200) {
      const who =
        request.credential.kind === 'anonymous' ? 'gives no token without credentials' : 'refuses the credentials'
      const data = { tokenStatus: answer.status }
      throw new Fault('denied', `the token server ${where} ${who} (${answer.status})`, { data })
    }
    let value: unknown
    try {
      value = JSON.parse(answer.body.toString('utf8'))
    } catch (cause) {
      throw new Fault('broken-answer', `the token server ${where} did not answer with JSON`, { cause })
    }
    const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
    const token = [fields.access_token, fields.token].find((entry) => typeof entry === 'string' && entry !== '')
    if (typeof token !== 'string') throw new Fault('broken-answer', `the token server ${where} gave no token`)
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new Fault(
        'broken-answer',
        `the token server ${where} gave a token that is none: ${oneLine(token.slice(0, 8))}…`,
      )
    }
    const seconds = typeof fields.expires_in === 'number' && fields.expires_in > 0 ? fields.expires_in : 0
    const lifetimeMs = Math.max(seconds * 1000, leastLifetimeMs)
    return { token, renewAt: askedAt + lifetimeMs - renewEarlyMs, lifetimeMs, isTold: seconds > 0 }
  }
}

/** `Authorization: Basic` for a password; an identity token is a password of the user `<token>`; nothing for nobody. */
export function basicHeader(credential: Credential): Record<string, string> {
  if (credential.kind === 'anonymous' || credential.kind === 'registry-token') return {}
  const pair =
    credential.kind === 'password'
      ? `${credential.username}:${credential.password.reveal()}`
      : `<token>:${credential.token.reveal()}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}
