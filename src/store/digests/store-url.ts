import { Fault } from '../../core/fault.js'
import { Secret } from '../../core/secret.js'
import { formatDuration, parseDuration } from '../../core/time.js'
import { readTlsOptions, type TlsOptions } from '../../http/tls.js'
import type { DigestStoreOptions } from './digest-store.js'

/** The URL of a store on another machine, parsed. */
export interface StoreUrl {
  /** Without the brackets of IPv6. */
  readonly host: string
  readonly port: number
  /** `redis cache.example.com:6379`, for messages: no user, no password. */
  readonly where: string
  /** Null where it is spoken to in the clear. */
  readonly tls: TlsOptions | null
  readonly user: string | null
  readonly password: Secret | null
  /** The path without its slash. */
  readonly path: string
  /** Put before each reference as it is. */
  readonly prefix: string
  /** How long an entry is kept after it was asked for; null: always. */
  readonly ttlMs: number | null
}

/** What kinds of stores differ in. */
export interface StoreUrlForm {
  readonly scheme: string
  readonly schemeOfTls: string
  readonly port: number
  readonly prefix: string
}

const parameters = ['prefix', 'ttl', 'ca', 'cert', 'key']
/** A lease of etcd counts in seconds. */
const shortestTtlMs = 1_000
const longestTtlMs = 10 * 365 * 86_400_000

/**
 * Reads `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?prefix=…&ttl=30d&ca=FILE&cert=FILE&key=FILE]`. User and password
 * come from `TIDEMARK_STORE_USER` and `TIDEMARK_STORE_PASSWORD` where the URL has none.
 * @throws Fault `invalid-argument`, `invalid-duration`, `file-unreadable`, `invalid-config`
 */
export function parseStoreUrl(url: string, form: StoreUrlForm, { environment }: DigestStoreOptions): StoreUrl {
  const parsed = URL.canParse(url) ? new URL(url) : null
  const refuse = (why: string, fix: string) =>
    new Fault('invalid-argument', `not the URL of a store of ${form.scheme}: ${why}`, { fix })
  const example = `${form.scheme}://HOST[:${form.port}]`
  if (parsed === null || parsed.hostname === '' || !/^[a-z]+:\/\//.test(url)) {
    throw refuse('it names no host', `Write ${example}; odd characters of a password are percent-encoded.`)
  }
  const query = parsed.searchParams
  const unknown = [...query.keys()].find((key) => !parameters.includes(key))
  if (unknown !== undefined) {
    throw refuse(`unknown parameter '${unknown.slice(0, 40)}'`, `There are ${parameters.join(', ')}.`)
  }
  const isTls = parsed.protocol === `${form.schemeOfTls}:`
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => query.get(name) ?? undefined)
  if (!isTls && [ca, cert, key].some((file) => file !== undefined)) {
    throw refuse('certificates are for TLS', `Write ${form.schemeOfTls}://… for TLS.`)
  }
  const port = Number(parsed.port || form.port)
  const user = decode(parsed.username) || environment.TIDEMARK_STORE_USER || null
  const password = decode(parsed.password) || environment.TIDEMARK_STORE_PASSWORD || null
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port,
    where: `${form.scheme} ${parsed.hostname}:${port}`,
    tls: isTls ? readTlsOptions({ ca, clientCert: cert, clientKey: key }, environment) : null,
    user,
    password: password === null ? null : new Secret(password),
    path: parsed.pathname.replace(/^\//, ''),
    prefix: query.get('prefix') ?? form.prefix,
    ttlMs: readTtl(query.get('ttl')),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone % stands for itself: the password was not encoded.
    return text
  }
}

function readTtl(text: string | null): number | null {
  if (text === null) return null
  const ttlMs = parseDuration(text)
  if (ttlMs >= shortestTtlMs && ttlMs <= longestTtlMs) return ttlMs
  throw new Fault('invalid-duration', `ttl lies between ${formatDuration(shortestTtlMs)} and 3650d`)
}
