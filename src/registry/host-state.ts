import { Fault, isFault } from '../core/fault.js'
import { type Host, isLoopbackHost, wireHost } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import type { Quota } from '../core/quota.js'
import type { AddressPolicy } from '../http/guard.js'
import type { HttpResponse } from '../http/send.js'
import { readTlsOptions, type TlsOptions } from '../http/tls.js'
import type { AuthScheme } from './challenge.js'
import { kindByName } from './kind.js'
import { HeadCount, readQuota } from './quota.js'
import type { RegistrySettings } from './settings.js'

/** What is known of a host while the process lives. */
export interface HostState {
  readonly host: Host
  readonly settings: RegistrySettings
  readonly tls: TlsOptions
  /** For its API on another host: our certificate is not for that one. */
  readonly apiTls: TlsOptions
  scheme: 'http' | 'https' | null
  auth: AuthScheme | null
  /** The first request to a host goes alone: all others learn from its answer how to authenticate. */
  first: Promise<void> | null
  zone: AddressPolicy['namedBy']
  /** What it last said of its quota for manifests; null when it never did. */
  quota: Quota | null
  readonly headCount: HeadCount
}

/** What is known before anything was asked. @throws Fault as `readTlsOptions` */
export function newHostState(
  host: Host,
  settings: RegistrySettings,
  environment: Readonly<Record<string, string | undefined>>,
): HostState {
  const isFound = settings.plainHttp === undefined && isLoopbackHost(host)
  return {
    host,
    settings,
    tls: readTlsOptions(settings, environment),
    apiTls: readTlsOptions({ ca: settings.ca }, environment),
    scheme: settings.plainHttp ? 'http' : isFound ? null : 'https',
    auth: null,
    first: null,
    zone: 'public',
    quota: null,
    headCount: new HeadCount(),
  }
}

/** Where the host speaks; `https` while that is not known. */
export function originOf(state: HostState): string {
  return `${state.scheme ?? 'https'}://${wireHost(state.host)}`
}

/** @throws Fault `broken-answer` where a token would be asked for in the open, of a host that is not spoken to so itself */
export function requireSafeRealm(state: HostState, realm: URL): void {
  if (realm.protocol === 'https:' || (realm.protocol === 'http:' && state.scheme === 'http')) return
  throw new Fault('broken-answer', `${state.host} sends us for a token to ${realm.origin}, which is not encrypted`)
}

/** Loopback only: https first, http where no TLS is spoken; what worked is remembered. */
export async function sendFindingScheme(
  state: HostState,
  profile: HostProfile,
  learn: (learned: HostProfile) => void,
  send: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  state.scheme = profile.scheme ?? 'https'
  try {
    const response = await send()
    if (state.scheme === 'https' || response.status !== 400) {
      learn({ scheme: state.scheme })
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
    learn({ scheme: state.scheme })
    return response
  } catch (error) {
    state.scheme = null
    throw error
  }
}

/**
 * What an answer teaches of the host's quota; null where that is nothing new. Only the registry's own answers count: a redirect
 * may have led to a host with another quota.
 */
export function quotaLearned(
  state: HostState,
  profile: HostProfile,
  { method, path }: { readonly method: 'GET' | 'HEAD'; readonly path: string },
  response: HttpResponse,
  nowMs: number,
): HostProfile | null {
  const quota = readQuota(response, state.settings.kind ?? kindByName(state.host), nowMs)
  if (quota === null || response.url.origin !== originOf(state)) return null
  const { dialect, limit, windowMs, remaining } = quota
  // A refusal without numbers says less than what was said before it.
  if (limit === null && state.quota !== null && state.quota.limit !== null) return null
  state.quota = quota
  const { quota: known } = profile
  const isNew = known?.dialect !== dialect || known.limit !== limit || known.windowMs !== windowMs
  // Documented for Docker Hub, where others behind the same address use up what remains meanwhile.
  const isCounted = path.startsWith('manifests/')
  const found = !isCounted ? null : dialect === 'docker-hub' ? false : state.headCount.observe(method, remaining)
  const headCounts = found === null || found === profile.headCounts ? null : found
  if (!isNew && headCounts === null) return null
  return { ...(isNew && { quota: { dialect, limit, windowMs } }), ...(headCounts !== null && { headCounts }) }
}
