import type { JSONWebKeySet } from 'jose'
import { noCost } from '../core/cost.js'
import { Fault, oneLine } from '../core/fault.js'
import { isLoopbackHost, parseHost } from '../core/host.js'
import { textOf } from '../core/json-object.js'
import { limits } from '../core/limits.js'
import { parseNetworks } from '../http/guard.js'
import { Lane } from '../http/lane.js'
import { createHttp } from '../http/send.js'
import { readTlsOptions } from '../http/tls.js'
import type { Services } from './open.js'

/** How long an issuer's key set is used before it is asked for again; a token with a key that is not in it brings that forward. */
const freshMs = 10 * 60_000
const soonestMs = 30_000
const maxWaitMs = 5_000

/** The key sets of the issuers that identities trust: OpenID Connect Discovery 1.0. */
export interface IssuerKeys {
  /**
   * The key set of `issuer`, which somebody trusts already.
   * @param isStale whether the one that was given last did not have the key: asked for again, every half minute at most
   * @throws Fault `broken-answer` and what sending throws
   */
  get(issuer: string, isStale?: boolean): Promise<JSONWebKeySet>
  close(): void
}

interface Kept {
  readonly keys: JSONWebKeySet
  readonly at: number
}

/** See {@link IssuerKeys}. Issuers are named by whoever makes identities: private addresses only where `network.allow` says so. */
export async function createIssuerKeys(
  services: Pick<Services, 'clock' | 'random' | 'environment' | 'config'>,
): Promise<IssuerKeys> {
  const { clock, random, environment } = services
  const { network = {} } = await services.config()
  const http = createHttp({ clock, random, environment, allow: parseNetworks(network.allow ?? []), connections: 4 })
  const tls = readTlsOptions({}, environment)
  const kept = new Map<string, Kept>()
  const waiting = new Map<string, Promise<JSONWebKeySet>>()

  const read = async (url: URL): Promise<Record<string, unknown>> => {
    const response = await http.send({
      ...{ method: 'GET', url, headers: { accept: 'application/json' }, priority: 'interactive' },
      ...{ lane: new Lane(url.host, 1, clock, random), namedBy: 'public', tls, cost: noCost(), attempts: 2 },
      ...{ maxBodyBytes: limits.issuerBytes, maxWaitMs },
    })
    if (response.status !== 200) throw broken(url, `it answered ${response.status}`)
    try {
      const body: unknown = JSON.parse(response.body.toString('utf8'))
      if (typeof body === 'object' && body !== null) return body as Record<string, unknown>
    } catch (cause) {
      throw broken(url, 'it is not JSON', cause)
    }
    throw broken(url, 'it is not an object')
  }
  const fetchKeys = async (issuer: string): Promise<JSONWebKeySet> => {
    const at = issuerUrl(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    const document = await read(at)
    // Section 4.3: else one issuer could speak for another.
    if (document.issuer !== issuer) throw broken(at, 'it names another issuer')
    const { keys } = await read(issuerUrl(textOf(document.jwks_uri)))
    if (!Array.isArray(keys)) throw broken(at, 'its key set has no keys')
    if (kept.size >= limits.issuers) kept.delete(kept.keys().next().value ?? issuer)
    kept.set(issuer, { keys: { keys }, at: clock.now() })
    return { keys }
  }
  return {
    async get(issuer, isStale = false) {
      const known = kept.get(issuer)
      if (known !== undefined && clock.now() - known.at < (isStale ? soonestMs : freshMs)) return known.keys
      const pending = waiting.get(issuer) ?? fetchKeys(issuer).finally(() => waiting.delete(issuer))
      waiting.set(issuer, pending)
      return await pending
    },
    close: () => http.close(),
  }
}

/**
 * Verifies something with the keys of `issuer`; once more with its newest, where it was signed with one that is not among those
 * that were read last.
 */
export async function withIssuerKeys<Verified>(
  keys: Pick<IssuerKeys, 'get'>,
  issuer: string,
  verify: (set: JSONWebKeySet) => Promise<Verified>,
): Promise<Verified> {
  try {
    return await verify(await keys.get(issuer))
  } catch (error) {
    const cause = error instanceof Fault ? error.cause : undefined
    if ((cause as { code?: unknown } | undefined)?.code !== 'ERR_JWKS_NO_MATCHING_KEY') throw error
    return await verify(await keys.get(issuer, true))
  }
}

/**
 * Reads the URL of an issuer: https, or http on this machine.
 * @throws Fault `invalid-argument`
 */
export function issuerUrl(text: string): URL {
  const url = text.length <= 2_000 && URL.canParse(text) ? new URL(text) : null
  const isPlain = url?.protocol === 'http:' && isLoopbackHost(parseHost(url.host))
  if (url !== null && url.username === '' && url.password === '' && (url.protocol === 'https:' || isPlain)) return url
  throw new Fault('invalid-argument', `not the URL of an issuer: '${oneLine(text.slice(0, 200))}'`, {
    fix: 'Write it as https://HOST/PATH, exactly as its tokens name it.',
  })
}

function broken(url: URL, why: string, cause?: unknown): Fault {
  return new Fault('broken-answer', `the issuer at ${url.host}: ${why}`, { cause })
}
