import type { Redis } from 'ioredis'
import { Fault, oneLine } from '../../core/fault.js'
import { networkFault } from '../../http/network-fault.js'
import type { DigestStoreKind } from './digest-store.js'
import { type KeyValue, keyValueDigests, type Swap } from './key-value.js'
import { parseStoreUrl, type StoreUrl } from './store-url.js'

/**
 * `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://…` with TLS: Redis 6 or later, Valkey, and what else speaks
 * its protocol, as one node. A key a reference; compared and set in one script, which Redis runs alone.
 */
export const redisDigests: DigestStoreKind = {
  schemes: ['redis', 'rediss'],
  example: 'redis[s]://[USER:PASSWORD@]HOST[:6379][/0]',
  open: (url, options) => {
    const form = { scheme: 'redis', schemeOfTls: 'rediss', port: 6379, prefix: 'tidemark:' }
    const place = parseStoreUrl(url, form, options)
    if (!/^\d{0,5}$/.test(place.path)) {
      throw new Fault('invalid-argument', 'the path of the URL of a redis is the number of a database', {
        fix: 'Write redis://HOST/0, or leave the path out.',
      })
    }
    return keyValueDigests(openRedis(place), place, options.clock)
  },
}

const connectMs = 10_000
const answerMs = 30_000

/** ARGV: the time to live in milliseconds or 0, then what is expected ('' for nothing) and what is to be, for each key. */
const swapScript = `
local told = {}
for i, key in ipairs(KEYS) do
  told[i] = 0
  if (redis.call('GET', key) or '') == ARGV[2 * i] then
    if ARGV[1] == '0' then redis.call('SET', key, ARGV[2 * i + 1])
    else redis.call('SET', key, ARGV[2 * i + 1], 'PX', ARGV[1]) end
    told[i] = 1
  end
end
return told`

function openRedis(place: StoreUrl): KeyValue {
  let opened: Promise<Redis> | undefined
  const run = async <Value>(work: (redis: Redis) => Promise<Value>): Promise<Value> => {
    opened ??= connect(place)
    try {
      return await work(await opened)
    } catch (error) {
      // A server asks again later, and then connects anew.
      const isOver = await opened?.then(
        ({ status }) => status === 'end',
        () => true,
      )
      if (isOver) opened = undefined
      throw faultOf(error, place)
    }
  }
  return {
    where: place.where,
    batch: 500,
    read: (keys) => run(async (redis) => (await redis.mget(...keys)).map((value) => ({ value, version: value ?? '' }))),
    swap: (swaps) =>
      run(async (redis) => {
        const told = await redis.eval(swapScript, swaps.length, ...swaps.map(({ key }) => key), ...argumentsOf(swaps))
        return (told as readonly number[]).map((one) => one === 1)
      }),
    async close() {
      const redis = await opened?.catch(() => undefined)
      redis?.disconnect()
    },
  }

  function argumentsOf(swaps: readonly Swap[]): string[] {
    return [String(place.ttlMs ?? 0), ...swaps.flatMap(({ version, value }) => [version, value])]
  }
}

/** The library is loaded here: most checks keep their digests in a file. */
async function connect({ host, port, tls, user, password, path }: StoreUrl): Promise<Redis> {
  const { Redis } = await import('ioredis')
  const redis = new Redis({
    ...{ host, port, lazyConnect: true, connectTimeout: connectMs, commandTimeout: answerMs },
    ...(tls && { tls: { ...tls, ca: tls.ca === undefined ? undefined : [...tls.ca] } }),
    ...(user !== null && { username: user }),
    ...(password !== null && { password: password.reveal() }),
    ...(path !== '' && { db: Number(path) }),
    // A connection that breaks off is made anew once, and what had no answer is sent again; then the store is down.
    ...{ maxRetriesPerRequest: 1, retryStrategy: (times: number) => (times > 1 ? null : 100) },
  })
  // Said where it matters: by the command that fails.
  let reason: unknown
  redis.on('error', (error: unknown) => {
    reason = error
  })
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw reason ?? error
  }
  return redis
}

/** The library's errors carry the command, and with it the password: only their text goes on. */
function faultOf(error: unknown, { where }: StoreUrl): Fault {
  if (error instanceof Fault) return error
  const { name, message, code } = error as NodeJS.ErrnoException
  const text = oneLine(message)
  const cause = new Error(text)
  if (code !== undefined) {
    return new Fault('store-unavailable', networkFault(error, where).message, { cause, fix: fixOf(code) })
  }
  if (name !== 'ReplyError') {
    // The library's own words for a connection that broke off, was made anew, and broke off again.
    const isBroken = name === 'MaxRetriesPerRequestError' || /connection is closed/i.test(text)
    const what = isBroken ? ' broke the connection off' : `: ${text}`
    return new Fault('store-unavailable', `${where}${what}`, { cause, fix: fixOf('') })
  }
  const [word = ''] = text.split(' ')
  if (word === 'WRONGTYPE') {
    return new Fault('store-damaged', `${where}: a key of ours holds something else`, {
      cause,
      fix: 'Give another ?prefix=…, or delete that key.',
    })
  }
  if (word === 'OOM') return new Fault('disk-full', `${where} has no memory left`, { cause })
  if (word === 'MOVED') {
    return new Fault('store-unavailable', `${where} is a cluster`, { cause, fix: 'Give a Redis that is one node.' })
  }
  const isRefused =
    ['NOAUTH', 'WRONGPASS', 'NOPERM'].includes(word) || /invalid password|without any password/.test(text)
  return new Fault('store-unavailable', `${where}: ${text}`, { cause, ...(isRefused && { fix: passwordFix }) })
}

const passwordFix = 'Check user and password: in the URL, or TIDEMARK_STORE_USER and TIDEMARK_STORE_PASSWORD.'

function fixOf(code: string): string {
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ISSUER/.test(code)) return 'Give the CA file with ?ca=FILE, or SSL_CERT_FILE.'
  return 'Check host and port, that it runs, and rediss:// where it wants TLS.'
}
