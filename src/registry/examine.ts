import { isFault, oneLine } from '../core/fault.js'
import { type Host, hostName, isLoopbackHost, wireHost } from '../core/host.js'
import { manifestAccept } from '../core/media-type.js'
import type { Quota } from '../core/quota.js'
import { formatRepository, type Reference } from '../core/reference.js'
import { type TlsSession, tryConnection } from '../http/connection.js'
import { proxyFor } from '../http/proxy.js'
import { type ResolvedAddress, resolveName } from '../http/resolve.js'
import type { HttpResponse } from '../http/send.js'
import { readTlsOptions } from '../http/tls.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import type { AuthScheme } from './challenge.js'
import { anonymous, type Credential } from './credentials/credential.js'
import type { FoundCredential } from './credentials/list.js'
import { manifestPath } from './manifest.js'
import { readQuota } from './quota.js'
import { openRegistries, type Registry, type RegistryOptions, registryOn } from './registry.js'
import type { Call } from './request.js'
import { basicHeader, type TokenLifetime } from './token.js'

/** A registry looked at part by part, as it is spoken to otherwise in one: to tell where something goes wrong. */
export interface Examiner {
  /** On the same connections, credentials and tokens. */
  readonly registry: Registry
  /** Where a host is looked for. @throws Fault `unreachable` for a name that does not resolve, `invalid-config` for a proxy that is none */
  resolve(host: Host, signal: AbortSignal | undefined): Promise<Whereabouts>
  /** Connects and hangs up. @throws Fault as `tryConnection`, and as `readTlsOptions` */
  connect(host: Host, signal: AbortSignal | undefined): Promise<Connection>
  /** Asks for the base of the API as nobody. @throws Fault what sending throws, `denied` for a challenge that nobody can answer */
  ping(host: Host, call: Call): Promise<Ping>
  /** Who we are to the target. @throws Fault as `CredentialSource.find` */
  credential(target: Target, signal: AbortSignal | undefined): Promise<FoundCredential>
  /** How the host wants to be authenticated to, by its last word; null while it has not said. */
  authOf(host: Host): AuthScheme | null
  /**
   * Whether the host takes who we are, for a manifest or for nothing in particular.
   * @returns how long tokens last; null where there are none
   * @throws Fault `denied` where it does not, and what sending throws; never for a manifest that is not there
   */
  authenticate(target: Target, credential: Credential, call: Call): Promise<TokenLifetime | null>
  /** `text` without the secrets that were sent: a registry may say them back. */
  conceal(text: string): string
}

/** What is examined. */
export interface Target {
  readonly host: Host
  /** Null for a host alone. */
  readonly reference: Reference | null
}

/** See {@link Examiner.resolve}. */
export interface Whereabouts {
  /** What is looked up: the name of the host on the wire, or of the proxy. */
  readonly name: string
  readonly addresses: readonly ResolvedAddress[]
  /** `HOST:PORT` of the proxy, which looks the host's name up itself. */
  readonly proxy: string | null
}

/** See {@link Examiner.connect}. */
export interface Connection {
  /** Null for plain HTTP. */
  readonly session: TlsSession | null
  /** Why plain HTTP is spoken: `plainHttp` of the configuration, or loopback that speaks no TLS. Null where it is not. */
  readonly plainBecause: 'plainHttp' | 'loopback' | null
  /** What names certificates to trust besides the usual ones, as `SSL_CERT_FILE (/etc/ca.pem)`. */
  readonly trusted: readonly string[]
}

/** See {@link Examiner.ping}. Times are milliseconds since the epoch. */
export interface Ping {
  readonly status: number
  /** Of the origin that answered, which is another where the host redirects. */
  readonly origin: string
  /** How it wants to be authenticated to; null where it did not ask for that. */
  readonly auth: AuthScheme | null
  readonly quota: Quota | null
  /** The clock of who answered, in whole seconds; null where it does not say. */
  readonly date: number | null
  /** Our clock, before and after. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** Opens nothing yet; what it learns is kept nowhere. Throws as `createRegistry`. */
export function createExaminer(options: RegistryOptions): Examiner {
  const opened = openRegistries(options)
  const { access, policy, clock, environment, settingsOf, kindOf } = opened
  const urlOf = (host: Host, scheme: 'http' | 'https') => new URL(`${scheme}://${wireHost(host)}`)
  return {
    registry: registryOn(opened),
    async resolve(host, signal) {
      const proxy = proxyFor(urlOf(host, settingsOf(host).plainHttp ? 'http' : 'https'), environment)
      const name = proxy === null ? hostName(wireHost(host) as Host) : proxy.host
      const shown = proxy === null ? null : `${proxy.host}:${proxy.port}`
      return { name, addresses: await resolveName(name, signal), proxy: shown }
    },
    async connect(host, signal) {
      const settings = settingsOf(host)
      const trusted = trustedFiles(settings.ca, `registries.${host}.ca`, environment)
      const tls = readTlsOptions(settings, environment)
      const attempt = (scheme: 'http' | 'https') =>
        tryConnection({ url: urlOf(host, scheme), tls, policy, environment, signal })
      if (settings.plainHttp) return { session: await attempt('http'), plainBecause: 'plainHttp', trusted: [] }
      try {
        return { session: await attempt('https'), plainBecause: null, trusted }
      } catch (error) {
        const isOther =
          settings.plainHttp === undefined && isLoopbackHost(host) && isFault(error, 'tls') && error.data.plain === true
        if (!isOther) throw error
        return { session: await attempt('http'), plainBecause: 'loopback', trusted: [] }
      }
    },
    async ping(host, call) {
      const askedAt = clock.now()
      const response = await access.ping(host, {}, anonymous, call)
      const answeredAt = clock.now()
      const date = Date.parse(response.headers.date ?? '')
      return {
        ...{ status: response.status, origin: response.url.origin, auth: access.authOf(host) },
        quota: readQuota(response, kindOf(host), answeredAt),
        ...{ date: Number.isNaN(date) ? null : date, askedAt, answeredAt },
      }
    },
    credential: ({ host, reference }, signal) => access.foundCredential(reference ?? { host, path: '' }, signal),
    authOf: (host) => access.authOf(host),
    conceal: (text) => access.conceal(text),
    authenticate: ({ host, reference }, credential, call) =>
      reference === null
        ? authenticateToHost(access, host, credential, call)
        : authenticateTo(access, reference, credential, call),
  }
}

async function authenticateTo(
  access: Access,
  reference: Reference,
  credential: Credential,
  call: Call,
): Promise<TokenLifetime | null> {
  const path = manifestPath(reference)
  const request = { method: 'HEAD', path, accept: manifestAccept, maxBodyBytes: 0 } as const
  const response = await access.send(reference, request, { ...call, priority: 'head' })
  requireTaken(response, formatRepository(reference))
  return await access.tokenLifetime(reference, 'pull', credential, call)
}

async function authenticateToHost(
  access: Access,
  host: Host,
  credential: Credential,
  call: Call,
): Promise<TokenLifetime | null> {
  const auth = access.authOf(host)
  if (auth === null || credential.kind === 'anonymous') return null
  const isToken = credential.kind === 'registry-token'
  if (auth.kind === 'bearer' && !isToken) return await tryTokens(access, host, credential, call)
  const header = isToken ? { authorization: `Bearer ${credential.token.reveal()}` } : basicHeader(credential)
  requireTaken(await access.ping(host, header, credential, call), host)
  return null
}

/** Some token servers give nothing out for no scope, which says nothing of the credential. */
async function tryTokens(
  access: Access,
  host: Host,
  credential: Credential,
  call: Call,
): Promise<TokenLifetime | null> {
  try {
    return await access.tokenLifetime({ host, path: '' }, null, credential, call)
  } catch (error) {
    const isRefused = isFault(error, 'denied') && (error.data.tokenStatus === 401 || error.data.tokenStatus === 403)
    if (!isFault(error, 'denied') || isRefused) throw error
    return null
  }
}

function requireTaken(response: HttpResponse, what: string): void {
  if (response.status === 401 || response.status === 403) throw answerFault(response, what, null)
}

/** Every name of a file of certificates, with the file. */
function trustedFiles(
  ca: string | undefined,
  key: string,
  { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS }: RegistryOptions['environment'],
): readonly string[] {
  const named = [
    [key, ca],
    ['SSL_CERT_FILE', SSL_CERT_FILE],
    ['NODE_EXTRA_CA_CERTS', NODE_EXTRA_CA_CERTS],
  ] as const
  return named
    .filter(([, path]) => path !== undefined && path !== '')
    .map(([name, path]) => `${name} (${oneLine(path ?? '')})`)
}
