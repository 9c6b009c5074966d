import { Fault, isFault, oneLine } from '../../core/fault.js'
import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import { Secret } from '../../core/secret.js'
import { parseNetworks } from '../../http/guard.js'
import { type ExchangeResult, Pool } from '../../http/pool.js'
import { proxyFor } from '../../http/proxy.js'
import type { DigestStoreKind, DigestStoreOptions } from './digest-store.js'
import { type KeyValue, keyValueDigests, type Versioned } from './key-value.js'
import { parseStoreUrl, type StoreUrl } from './store-url.js'

/**
 * `etcd://[USER:PASSWORD@]HOST[:PORT]`, `etcds://…` with TLS: etcd 3.4 or later by its JSON gateway
 * (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/). A key a reference; compared and set in a transaction.
 */
export const etcdDigests: DigestStoreKind = {
  schemes: ['etcd', 'etcds'],
  example: 'etcd[s]://[USER:PASSWORD@]HOST[:2379]',
  open: (url, options) => {
    const form = { scheme: 'etcd', schemeOfTls: 'etcds', port: 2379, prefix: '/tidemark/' }
    const place = parseStoreUrl(url, form, options)
    if (place.path !== '') {
      throw new Fault('invalid-argument', 'the URL of an etcd has no path', {
        fix: 'Give ?prefix=… for keys elsewhere.',
      })
    }
    return keyValueDigests(new Etcd(place, options), place, options.clock)
  },
}

const timeouts = { connectMs: 10_000, idleMs: 30_000, bodyMs: 60_000 }
/** A hundred values of some 200 bytes, in base64, with room for long names: etcd itself refuses requests beyond 1.5 MiB. */
const answerBytes = 4 * 1024 * 1024

class Etcd implements KeyValue {
  readonly where: string
  /** `--max-txn-ops` of etcd is 128, and each of ours counts one within the whole. */
  readonly batch = 100
  readonly #place: StoreUrl
  readonly #pool: Pool
  #token: Secret | undefined

  constructor(place: StoreUrl, { environment }: DigestStoreOptions) {
    const { host, port, tls } = place
    const origin = new URL(`${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`)
    this.where = place.where
    this.#place = place
    this.#pool = new Pool({
      ...{ origin, connections: 1, timeouts, tls: tls ?? {}, proxy: proxyFor(origin, environment) },
      policy: { namedBy: 'user', allow: parseNetworks([]) },
    })
  }

  async read(keys: readonly string[]): Promise<readonly Versioned[]> {
    const { responses } = await this.#call('kv/txn', {
      success: keys.map((key) => ({ request_range: { key: base64(key) } })),
    })
    return this.#perKey(responses, keys.length).map((response) =>
      versioned(objectsOf(objectOf(response.response_range).kvs)[0]),
    )
  }

  async swap(swaps: Parameters<KeyValue['swap']>[0]): Promise<readonly boolean[]> {
    const lease = await this.#lease()
    const { responses } = await this.#call('kv/txn', {
      success: swaps.map(({ key, version, value }) => ({
        request_txn: {
          compare: [{ key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: version }],
          success: [{ request_put: { key: base64(key), value: base64(value), ...lease } }],
        },
      })),
    })
    return this.#perKey(responses, swaps.length).map((response) => objectOf(response.response_txn).succeeded === true)
  }

  async close(): Promise<void> {
    this.#pool.close()
  }

  #perKey(responses: unknown, count: number): readonly JsonObject[] {
    const told = objectsOf(responses)
    if (told.length === count) return told
    throw this.#broken('it does not answer for every key')
  }

  /** One lease for what is written together: it ends, and its keys with it, when its time is over. */
  async #lease(): Promise<{ readonly lease?: string }> {
    const { ttlMs } = this.#place
    if (ttlMs === null) return {}
    const { ID } = await this.#call('lease/grant', { TTL: String(Math.ceil(ttlMs / 1_000)) })
    if (typeof ID !== 'string') throw this.#broken('it grants no lease')
    return { lease: ID }
  }

  /** A request that had no answer is sent once more: what it may have written is known again by its mark. */
  async #call(method: string, body: JsonObject): Promise<JsonObject> {
    const { user, password } = this.#place
    for (let attempt = 1; ; attempt++) {
      try {
        if (user !== null && password !== null) this.#token ??= await this.#authenticate(user, password)
        const result = await this.#post(method, body)
        // A token lasts five minutes, and is forgotten where etcd starts again.
        const isTokenStale = result.status === 401 && this.#token !== undefined && attempt === 1
        if (!isTokenStale) return this.#parse(result)
        this.#token = undefined
      } catch (error) {
        if (attempt > 1 || !isFault(error, 'unreachable', 'timeout')) throw this.#faultOf(error)
      }
    }
  }

  async #authenticate(name: string, password: Secret): Promise<Secret> {
    const { token } = this.#parse(await this.#post('auth/authenticate', { name, password: password.reveal() }))
    if (typeof token !== 'string' || token === '') throw this.#broken('it gives no token')
    return new Secret(token)
  }

  #post(method: string, body: JsonObject): Promise<ExchangeResult> {
    return this.#pool.exchange({
      ...{ method: 'POST', path: `/v3/${method}`, body: JSON.stringify(body), maxBodyBytes: answerBytes },
      headers: {
        'content-type': 'application/json',
        ...(this.#token !== undefined && { authorization: this.#token.reveal() }),
      },
    })
  }

  #parse({ status, body }: ExchangeResult): JsonObject {
    let answer: JsonObject
    try {
      answer = objectOf(JSON.parse(body.toString('utf8')))
    } catch {
      throw this.#broken(`it answers ${status} and no JSON`)
    }
    if (status === 200) return answer
    const message = oneLine(textOf(answer.message) || textOf(answer.error) || 'no message')
    if (/NOSPACE|database space exceeded/.test(message)) throw new Fault('disk-full', `${this.where}: ${message}`)
    const isRefused = status === 401 || status === 403 || /authentication failed|user name is empty/.test(message)
    throw new Fault('store-unavailable', `${this.where}: ${message}`, {
      ...(isRefused && {
        fix: 'Check user and password: in the URL, or TIDEMARK_STORE_USER and TIDEMARK_STORE_PASSWORD.',
      }),
    })
  }

  #broken(why: string): Fault {
    return new Fault('store-unavailable', `${this.where}: ${why}`, {
      fix: 'Check host and port, and that its JSON gateway is on (--enable-grpc-gateway).',
    })
  }

  /** Whatever happens on the way, the store is what is not there. */
  #faultOf(error: unknown): unknown {
    if (!isFault(error, 'unreachable', 'timeout', 'tls', 'broken-answer', 'too-large', 'forbidden-address'))
      return error
    const isTls = error.code === 'tls'
    return new Fault('store-unavailable', `${this.where}: ${error.message}`, {
      cause: error,
      fix: isTls
        ? 'Give the CA file with ?ca=FILE, or SSL_CERT_FILE; etcd:// speaks HTTP without TLS.'
        : 'Check host and port, that it runs, and etcds:// where it wants TLS.',
    })
  }
}

function versioned(entry: JsonObject | undefined): Versioned {
  if (entry === undefined) return { value: null, version: '0' }
  // An empty value is left out of the answer.
  const value = typeof entry.value === 'string' ? Buffer.from(entry.value, 'base64').toString('utf8') : ''
  return { value, version: textOf(entry.mod_revision) }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
