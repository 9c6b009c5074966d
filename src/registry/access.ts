import type { Clock, Random } from '../core/clock.js'
import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { type Host, isLoopbackHost, wireHost } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import type { Quota } from '../core/quota.js'
import type { Repository } from '../core/reference.js'
import type { AddressPolicy } from '../http/guard.js'
import { Lane, type Priority } from '../http/lane.js'
import type { Http, HttpResponse } from '../http/send.js'
import { readTlsOptions, type TlsOptions } from '../http/tls.js'
import { type AuthScheme, chooseScheme } from './challenge.js'
import type { Credential, CredentialSource } from './credentials/credential.js'
import { KeptCredentials } from './kept-credentials.js'
import { kindByName } from './kind.js'
import { HeadCount, readQuota } from './quota.js'
import type { RegistrySettings } from './settings.js'
import { basicHeader, Tokens } from './token.js'
import { waitFor } from './wait-for.js'

/** How one call to a registry is made. */
export interface Call {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** `interactive` when left out. */
  readonly priority?: Priority
  /** How long a host's pause may be waited out, in milliseconds; 5 minutes when left out. */
  readonly maxWaitMs?: number
  /** What the tag pointed at when it was last looked at: a host that honors If-None-Match then answers 304, which costs it less. */
  readonly known?: Digest | undefined
}

/** One request below a repository. */
export interface RepositoryRequest {
  readonly method: 'GET' | 'HEAD'
  /** After `/v2/<name>/`, with its query; or a whole URL of the same origin, from a Link. */
  readonly path: string | URL
  readonly accept: string
  readonly maxBodyBytes: number
  /** `Range`, RFC 9110 section 14.2. */
  readonly range?: string
  /** `If-None-Match`, RFC 9110 section 13.1.2: the digest, which registries send as the entity tag of a manifest. */
  readonly ifNoneMatch?: Digest | undefined
  /** See `HttpRequest.isStreamed`. */
  readonly isStreamed?: boolean
}

/** What {@link Access} is made of. */
export interface AccessOptions {
  readonly http: Http
  readonly clock: Clock
  readonly random: Random
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly sources: readonly CredentialSource[]
  settingsOf(host: Host): RegistrySettings
  readonly profiles: Map<Host, HostProfile>
  onProfile(host: Host, profile: HostProfile): void
}

const defaultMaxWaitMs = 5 * 60_000
/** Requests to one host at a time, where the configuration does not say: what the peers' floor was measured with. */
export const defaultConcurrency = 16

/** What is known of a host while the process lives. */
interface HostState {
  readonly host: Host
  readonly settings: RegistrySettings
  readonly tls: TlsOptions
  scheme: 'http' | 'https' | null
  auth: AuthScheme | null
  /** The first request to a host goes alone: all others learn from its answer how to authenticate. */
  first: Promise<void> | null
  zone: AddressPolicy['namedBy']
  /** What it last said of its quota for manifests; null when it never did. */
  quota: Quota | null
  readonly headCount: HeadCount
}

/** Sends requests to repositories, with whatever each host wants for it: scheme, credentials, tokens, lanes. */
export class Access {
  readonly #options: AccessOptions
  readonly #tokens: Tokens
  readonly #hosts = new Map<Host, HostState>()
  readonly #lanes = new Map<string, Lane>()
  readonly #credentials: KeptCredentials

  constructor(options: AccessOptions) {
    this.#options = options
    const { http, clock, sources } = options
    this.#credentials = new KeptCredentials(sources, clock)
    this.#tokens = new Tokens(http, clock, (realm, credential) =>
      this.#lane(realm.host, credential, defaultConcurrency),
    )
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

  /** Until when nothing is sent to `host`; null when it is open. Of several credentials the latest. */
  pausedUntil(host: Host): number | null {
    let latest: number | null = null
    for (const [key, lane] of this.#lanes) {
      if (!key.startsWith(`${wireHost(host)} `)) continue
      const until = lane.pausedUntil
      if (until !== null && (latest === null || until > latest)) latest = until
    }
    return latest
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
    const sent = await this.#authorization(state, repository, credential, call)
    const response = await this.#sendOnce(state, repository, request, credential, sent, call)
    if (response.status !== 401) {
      if (state.auth === null && response.status < 500 && response.status !== 429) state.auth = { kind: 'none' }
      return response
    }
    // A host that was redirected to must not see our credentials, and its challenge is not the registry's.
    if (response.url.origin !== originOf(state)) return response
    this.#readChallenge(state, response, sent)
    const renewed = await this.#authorization(state, repository, credential, call, sent)
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
    credential: Credential,
    call: Call,
    refused?: string,
  ): Promise<string | undefined> {
    const { auth } = state
    if (credential.kind === 'registry-token') return `Bearer ${credential.token.reveal()}`
    if (auth === null || auth.kind === 'none') return undefined
    if (auth.kind === 'basic') return basicHeader(credential).authorization
    this.#requireSafeRealm(state, auth.realm)
    const token = await this.#tokens.get(
      {
        realm: auth.realm,
        service: auth.service,
        scope: `repository:${repository.path}:pull`,
        credential,
        namedBy: auth.realm.origin === originOf(state) ? 'user' : state.zone,
        tls: state.tls,
        cost: call.cost,
        maxWaitMs: call.maxWaitMs ?? defaultMaxWaitMs,
        signal: call.signal,
      },
      refused?.startsWith('Bearer ') ? refused.slice('Bearer '.length) : undefined,
    )
    return `Bearer ${token}`
  }

  #requireSafeRealm(state: HostState, realm: URL): void {
    if (realm.protocol === 'https:' || (realm.protocol === 'http:' && state.scheme === 'http')) return
    throw new Fault('broken-answer', `${state.host} sends us for a token to ${realm.origin}, which is not encrypted`)
  }

  async #sendOnce(
    state: HostState,
    repository: Repository,
    request: RepositoryRequest,
    credential: Credential,
    authorization: string | undefined,
    call: Call,
  ): Promise<HttpResponse> {
    const { concurrency = defaultConcurrency } = state.settings
    const send = () =>
      this.#options.http.send({
        method: request.method,
        url:
          typeof request.path === 'string'
            ? new URL(`${originOf(state)}/v2/${repository.path}/${request.path}`)
            : request.path,
        headers: {
          accept: request.accept,
          'user-agent': 'tidemark',
          ...(authorization !== undefined && { authorization }),
          ...(request.range !== undefined && { range: request.range }),
          ...(request.ifNoneMatch !== undefined && { 'if-none-match': `"${request.ifNoneMatch}"` }),
        },
        maxBodyBytes: request.maxBodyBytes,
        ...(request.isStreamed && { isStreamed: true }),
        lane: this.#lane(wireHost(state.host), credential, concurrency),
        priority: call.priority ?? 'interactive',
        maxWaitMs: call.maxWaitMs ?? defaultMaxWaitMs,
        namedBy: 'user',
        tls: state.tls,
        cost: call.cost,
        signal: call.signal,
      })
    const response = state.scheme !== null ? await send() : await this.#sendFindingScheme(state, send)
    this.#learnQuota(state, request, response)
    return response
  }

  /** Of our registry's own answers: a redirect may have led to a host with another quota. */
  #learnQuota(state: HostState, { method, path }: RepositoryRequest, response: HttpResponse): void {
    const kind = state.settings.kind ?? kindByName(state.host)
    const quota = readQuota(response, kind, this.#options.clock.now())
    if (quota === null || response.url.origin !== originOf(state)) return
    const { dialect, limit, windowMs, remaining } = quota
    // A refusal without numbers says less than what was said before it.
    if (limit === null && state.quota !== null && state.quota.limit !== null) return
    state.quota = quota
    const known = this.profile(state.host)
    const isNew = known.quota?.dialect !== dialect || known.quota.limit !== limit || known.quota.windowMs !== windowMs
    if (isNew) this.learn(state.host, { quota: { dialect, limit, windowMs } })
    if (typeof path !== 'string' || !path.startsWith('manifests/')) return
    // Documented for Docker Hub, where others behind the same address use up what remains meanwhile.
    const headCounts = dialect === 'docker-hub' ? false : state.headCount.observe(method, remaining)
    if (headCounts !== null && known.headCounts !== headCounts) this.learn(state.host, { headCounts })
  }

  /** Loopback only: https first, http where no TLS is spoken; what worked is remembered. */
  async #sendFindingScheme(state: HostState, send: () => Promise<HttpResponse>): Promise<HttpResponse> {
    state.scheme = this.profile(state.host).scheme ?? 'https'
    try {
      const response = await send()
      if (state.scheme === 'https' || response.status !== 400) {
        this.learn(state.host, { scheme: state.scheme })
        return response
      }
      // Node and nginx answer 400 when they are spoken to in plain HTTP where they expect TLS: the memory is stale.
    } catch (error) {
      const isOther =
        state.scheme === 'https'
          ? isFault(error, 'tls') && error.data.plain === true
          : isFault(error, 'unreachable', 'broken-answer')
      if (!isOther) {
        state.scheme = null
        throw error
      }
    }
    state.scheme = state.scheme === 'https' ? 'http' : 'https'
    try {
      const response = await send()
      this.learn(state.host, { scheme: state.scheme })
      return response
    } catch (error) {
      state.scheme = null
      throw error
    }
  }

  #lane(host: string, credential: Credential, slots: number): Lane {
    const key = `${host} ${credential.key}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane(host, slots, this.#options.clock, this.#options.random)
      this.#lanes.set(key, lane)
    }
    return lane
  }

  #host(host: Host): HostState {
    let state = this.#hosts.get(host)
    if (state === undefined) {
      const settings = this.#options.settingsOf(host)
      const isFound = settings.plainHttp === undefined && isLoopbackHost(host)
      state = {
        host,
        settings,
        tls: readTlsOptions(settings, this.#options.environment),
        scheme: settings.plainHttp ? 'http' : isFound ? null : 'https',
        auth: null,
        first: null,
        zone: 'public',
        quota: null,
        headCount: new HeadCount(),
      }
      this.#hosts.set(host, state)
    }
    return state
  }
}

function originOf(state: HostState): string {
  return `${state.scheme ?? 'https'}://${wireHost(state.host)}`
}
