import type { Clock, Random } from '../core/clock.js'
import { Fault, isFault } from '../core/fault.js'
import { type Host, isLoopbackHost, wireHost } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import { limits } from '../core/limits.js'
import type { Quota } from '../core/quota.js'
import type { Repository } from '../core/reference.js'
import type { Lane } from '../http/lane.js'
import type { Http, HttpResponse } from '../http/send.js'
import type { TlsOptions } from '../http/tls.js'
import { type AuthScheme, chooseScheme } from './challenge.js'
import type { Credential } from './credentials/credential.js'
import type { FoundCredential, NamedSource } from './credentials/list.js'
import {
  type HostState,
  newHostState,
  originOf,
  quotaLearned,
  requireSafeRealm,
  sendFindingScheme,
} from './host-state.js'
import { KeptCredentials } from './kept-credentials.js'
import { defaultConcurrency, Lanes } from './lanes.js'
import type { ApiRequest, Call, Delivery, RepositoryRequest } from './request.js'
import type { RegistrySettings } from './settings.js'
import { basicHeader, type TokenLifetime, type TokenRequest, Tokens } from './token.js'
import { waitFor } from './wait-for.js'

/** What {@link Access} is made of. */
export interface AccessOptions {
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly sources: readonly NamedSource[]
  settingsOf(host: Host): RegistrySettings
  readonly profiles: Map<Host, HostProfile>
  onProfile(host: Host, profile: HostProfile): void
}

const defaultMaxWaitMs = 5 * 60_000

/** Sends requests to repositories, with whatever each host wants for it: scheme, credentials, tokens, lanes. */
export class Access {
  readonly #options: AccessOptions
  readonly #tokens: Tokens
  readonly #hosts = new Map<Host, HostState>()
  readonly #lanes: Lanes
  readonly #credentials: KeptCredentials

  constructor(options: AccessOptions) {
    this.#options = options
    const { http, clock, random, sources } = options
    this.#credentials = new KeptCredentials(sources, clock)
    this.#lanes = new Lanes(clock, random)
    this.#tokens = new Tokens(http, clock, (realm, credential) =>
      this.#lanes.of(realm.host, credential, defaultConcurrency),
    )
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#options.clock.now()
  }

  /** What was learned about `host`. */
  profile(host: Host): HostProfile {
    return this.#options.profiles.get(host) ?? {}
  }

  /** Remembers what was learned about `host`. */
  learn(host: Host, learned: HostProfile): void {
    const profile = { ...this.profile(host), ...learned }
    this.#options.profiles.set(host, profile)
    this.#options.onProfile(host, profile)
  }

  /** Until when nothing is sent to `host`, or to the host of a URL; null when it is open. Of several credentials the latest. */
  pausedUntil(host: Host | URL): number | null {
    return this.#lanes.pausedUntil(host instanceof URL ? host.host : wireHost(host))
  }

  /** Who we are to a repository. Throws as `CredentialSource.find`. */
  credential(repository: Repository, signal: AbortSignal | undefined): Promise<Credential> {
    return this.#credentials.find(repository, signal)
  }

  /** As {@link Access.credential}, with where it was found. */
  async foundCredential(repository: Repository, signal: AbortSignal | undefined): Promise<FoundCredential> {
    return await this.#credentials.found(repository, signal)
  }

  /** `text` without the secrets that were sent: a registry may say them back. */
  conceal(text: string): string {
    return this.#tokens.conceal(this.#credentials.conceal(text))
  }

  /** How `host` wants to be authenticated to; null while it has not said. */
  authOf(host: Host): AuthScheme | null {
    return this.#hosts.get(host)?.auth ?? null
  }

  /**
   * Asks for the base of the API (OCI distribution v1.1.1, "Determining Support"), whose refusal says how the host wants to be
   * authenticated to.
   * @param authorization a header with it, of `credential`; empty to ask as nobody
   * @throws Fault `denied` for a challenge that nobody here can answer, and what sending throws; statuses are the caller's to judge
   */
  async ping(
    host: Host,
    authorization: Readonly<Record<string, string>>,
    credential: Credential,
    call: Call,
  ): Promise<HttpResponse> {
    const state = this.#host(host)
    const headers = { accept: 'application/json', ...authorization }
    const rest = { method: 'GET', headers, maxBodyBytes: limits.errorBytes } as const
    const response = await this.#sendToHost(state, '/v2/', rest, credential, call)
    if (response.status === 401 && response.url.origin === originOf(state))
      this.#readChallenge(state, response, authorization.authorization)
    return response
  }

  /**
   * How long tokens last that the host's token server gives us, for a repository or (`scope` null) for nothing at all, which still
   * shows whether it takes our credentials. Null where the host wants no tokens.
   * @throws Fault as `Tokens.get`
   */
  async tokenLifetime(
    { host, path }: Repository,
    scope: 'pull' | null,
    credential: Credential,
    call: Call,
  ): Promise<TokenLifetime | null> {
    const state = this.#host(host)
    if (credential.kind === 'registry-token' || state.auth?.kind !== 'bearer') return null
    const text = scope === null ? null : `repository:${path}:${scope}`
    return await this.#tokens.lifetime(this.#tokenRequest(state, state.auth, text, credential, call))
  }

  /**
   * Sends a request to an API of the registry, through the lane of that API's host.
   * @throws Fault `invalid-config` for an API that is neither encrypted nor on loopback, and what sending throws
   */
  async sendApi(host: Host, request: ApiRequest, call: Call): Promise<HttpResponse> {
    const state = this.#host(host)
    const { url, method, headers = {}, body, maxBodyBytes, credential } = request
    const rest = { method, headers: { accept: 'application/json', ...headers }, body, maxBodyBytes }
    if (typeof url === 'string' || url.origin === originOf(state)) {
      return await this.#sendToHost(state, url, rest, credential, call)
    }
    if (url.protocol !== 'https:' && !isLoopbackHost(url.host as Host)) {
      throw new Fault(
        'invalid-config',
        `the API of ${host} at ${url.origin} is not encrypted, and may be sent a secret`,
        {
          fix: `Give registries.${host}.apiUrl an https:// URL.`,
        },
      )
    }
    return await this.#deliver(url, state.apiTls, rest, this.#lanes.of(url.host, credential, defaultConcurrency), call)
  }

  /** What `host` last said of its quota; null when it never did. */
  quota(host: Host): Quota | null {
    return this.#hosts.get(host)?.quota ?? null
  }

  /**
   * Sends a request with the host's authentication; a 401 renews the token, or answers the challenge, once.
   * @throws Fault `denied` and what sending throws; other statuses are the caller's to judge
   */
  async send(repository: Repository, request: RepositoryRequest, call: Call): Promise<HttpResponse> {
    const state = this.#host(repository.host)
    while (state.auth === null && state.first !== null) await waitFor(state.first, call.signal)
    if (state.auth !== null) return await this.#sendAuthorized(state, repository, request, call)
    const sending = this.#sendAuthorized(state, repository, request, call)
    state.first = sending.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await sending
    } finally {
      state.first = null
    }
  }

  async #sendAuthorized(
    state: HostState,
    repository: Repository,
    request: RepositoryRequest,
    call: Call,
  ): Promise<HttpResponse> {
    const credential = await this.#credentials.find(repository, call.signal)
    try {
      const response = await this.#sendAs(credential, state, repository, request, call)
      if (response.status !== 401 && response.status !== 403) return response
      if (response.url.origin !== originOf(state) || !this.#credentials.isReplaced(credential, repository))
        return response
    } catch (error) {
      if (!isFault(error, 'denied') || !this.#credentials.isReplaced(credential, repository)) throw error
    }
    return await this.#sendAs(await this.#credentials.find(repository, call.signal), state, repository, request, call)
  }

  async #sendAs(
    credential: Credential,
    state: HostState,
    repository: Repository,
    request: RepositoryRequest,
    call: Call,
  ): Promise<HttpResponse> {
    const sent = await this.#authorization(state, repository, request, credential, call)
    const response = await this.#sendOnce(state, repository, request, credential, sent, call)
    if (response.status !== 401) {
      if (state.auth === null && response.status < 500 && response.status !== 429) state.auth = { kind: 'none' }
      return response
    }
    // A host that was redirected to must not see our credentials, and its challenge is not the registry's.
    if (response.url.origin !== originOf(state)) return response
    this.#readChallenge(state, response, sent)
    const renewed = await this.#authorization(state, repository, request, credential, call, sent)
    if (renewed === undefined || renewed === sent) {
      this.#credentials.forget(repository)
      return response
    }
    const second = await this.#sendOnce(state, repository, request, credential, renewed, call)
    if (second.status === 401) this.#credentials.forget(repository)
    return second
  }

  /** Harbor asks for Basic when a stale token comes along; the Bearer challenge that it gave before still holds. */
  #readChallenge(state: HostState, response: HttpResponse, sent: string | undefined): void {
    const scheme = chooseScheme(response.headers['www-authenticate'] ?? '', response.url)
    if (scheme === null)
      throw new Fault('denied', `${state.host} asks for a way to log in that is neither Basic nor Bearer`)
    state.zone = response.zone
    if (scheme.kind === 'basic' && state.auth?.kind === 'bearer' && sent?.startsWith('Bearer ')) return
    state.auth = scheme
  }

  async #authorization(
    state: HostState,
    repository: Repository,
    { action = 'pull' }: RepositoryRequest,
    credential: Credential,
    call: Call,
    refused?: string,
  ): Promise<string | undefined> {
    const { auth } = state
    if (credential.kind === 'registry-token') return `Bearer ${credential.token.reveal()}`
    if (auth === null || auth.kind === 'none') return undefined
    if (auth.kind === 'basic') return basicHeader(credential).authorization
    const token = await this.#tokens.get(
      this.#tokenRequest(state, auth, `repository:${repository.path}:${action}`, credential, call),
      refused?.startsWith('Bearer ') ? refused.slice('Bearer '.length) : undefined,
    )
    return `Bearer ${token}`
  }

  #tokenRequest(
    state: HostState,
    { realm, service }: Extract<AuthScheme, { kind: 'bearer' }>,
    scope: string | null,
    credential: Credential,
    call: Call,
  ): TokenRequest {
    requireSafeRealm(state, realm)
    return {
      ...{ realm, service, scope, credential, tls: state.tls, cost: call.cost, signal: call.signal },
      namedBy: realm.origin === originOf(state) ? 'user' : state.zone,
      maxWaitMs: call.maxWaitMs ?? defaultMaxWaitMs,
      attempts: call.attempts,
    }
  }

  async #sendOnce(
    state: HostState,
    repository: Repository,
    { method, path, accept, maxBodyBytes, range, ifNoneMatch, isStreamed }: RepositoryRequest,
    credential: Credential,
    authorization: string | undefined,
    call: Call,
  ): Promise<HttpResponse> {
    const headers = {
      accept,
      ...(authorization !== undefined && { authorization }),
      ...(range !== undefined && { range }),
      ...(ifNoneMatch !== undefined && { 'if-none-match': `"${ifNoneMatch}"` }),
    }
    const rest = { method, headers, maxBodyBytes, isStreamed }
    const target = path.startsWith('/') ? path : `/v2/${repository.path}/${path}`
    const response = await this.#sendToHost(state, target, rest, credential, call)
    const learned = quotaLearned(state, this.profile(state.host), { method, path }, response, this.now())
    if (learned !== null) this.learn(state.host, learned)
    return response
  }

  async #sendToHost(
    state: HostState,
    target: string | URL,
    delivery: Delivery,
    credential: Credential,
    call: Call,
  ): Promise<HttpResponse> {
    const { host, settings, tls } = state
    const lane = this.#lanes.of(wireHost(host), credential, settings.concurrency ?? defaultConcurrency)
    const send = () => this.#deliver(new URL(target, originOf(state)), tls, delivery, lane, call)
    if (state.scheme !== null) return await send()
    return await sendFindingScheme(state, this.profile(host), (learned) => this.learn(host, learned), send)
  }

  #deliver(
    url: URL,
    tls: TlsOptions,
    { headers, body, isStreamed, ...rest }: Delivery,
    lane: Lane,
    call: Call,
  ): Promise<HttpResponse> {
    return this.#options.http.send({
      ...{ ...rest, url, tls, lane, namedBy: 'user', cost: call.cost, signal: call.signal },
      headers: { 'user-agent': 'tidemark', ...headers },
      ...(body !== undefined && { body }),
      ...(isStreamed && { isStreamed: true }),
      ...(call.attempts !== undefined && { attempts: call.attempts }),
      priority: call.priority ?? 'interactive',
      maxWaitMs: call.maxWaitMs ?? defaultMaxWaitMs,
    })
  }

  #host(host: Host): HostState {
    const known = this.#hosts.get(host)
    if (known !== undefined) return known
    const state = newHostState(host, this.#options.settingsOf(host), this.#options.environment)
    this.#hosts.set(host, state)
    return state
  }
}
