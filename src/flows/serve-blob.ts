import type { Digest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { type Host, parseHost } from '../core/host.js'
import type { Repository } from '../core/reference.js'
import { type BlobRange, type Call, defaultConcurrency, type OpenedBlob, type Registry } from '../registry/registry.js'
import type { Services } from './open.js'
import { type ServeCall, serveMaxWaitMs } from './serve-manifest.js'

/** Reads the blobs of repositories for others. */
export interface BlobServer {
  /**
   * Opens a blob, or a part of it; nothing of it is kept. It is not hashed on its way: clients do that.
   * @throws Fault `blob-not-found`, `invalid-range`, `rate-limited`, and what else the registry throws
   */
  open(repository: Repository, digest: Digest, range: BlobRange | null, call: ServeCall): Promise<OpenedBlob>
  /** How many bytes a blob has; null where its registry does not say. Throws as {@link BlobServer.open}. */
  size(repository: Repository, digest: Digest, call: ServeCall): Promise<number | null>
}

/**
 * The share of a host's connections that sends blobs on: slow clients may hold each for hours, and looks at tags must go on
 * meanwhile. 10 of 16.
 */
const blobShare = 2 / 3
/** How long a blob waits for one of them: docker gives up a pull at the first 429, and waits a minute for an answer. */
const turnWaitMs = 30_000

/** See {@link BlobServer}. */
export function createBlobServer(services: Services): BlobServer {
  const turns = new Map<Host, Turns>()
  const turnsOf = async (host: Host) => {
    let own = turns.get(host)
    if (own === undefined) {
      own = new Turns(host, await slotsOf(host, services), services)
      turns.set(host, own)
    }
    return own
  }
  return {
    async open(repository, digest, range, call) {
      const registry = await services.registry()
      const release = await (await turnsOf(repository.host)).take(call.signal)
      try {
        const part = range === null ? null : await withoutSuffix(range, repository, digest, registry, callOf(call))
        const opened = await registry.openBlob(repository, digest, part, callOf(call))
        return releasing(opened, release)
      } catch (error) {
        release()
        throw error
      }
    },
    async size(repository, digest, call) {
      const registry = await services.registry()
      return await registry.blobSize(repository, digest, callOf(call))
    },
  }
}

/** Not every registry knows the last bytes of a blob, and each knows bytes by their number. */
async function withoutSuffix(
  range: BlobRange,
  repository: Repository,
  digest: Digest,
  registry: Registry,
  call: Call,
): Promise<BlobRange> {
  if (!('suffix' in range)) return range
  const sizeBytes = await registry.blobSize(repository, digest, call)
  return sizeBytes === null ? range : { first: Math.max(0, sizeBytes - range.suffix), last: null }
}

function callOf({ cost, signal }: ServeCall): Call {
  return { cost, signal, priority: 'blob', maxWaitMs: serveMaxWaitMs }
}

async function slotsOf(host: Host, services: Services): Promise<number> {
  const { registries = {} } = await services.config()
  const own = Object.entries(registries).find(([name]) => parseHost(name) === host)?.[1]
  return Math.max(1, Math.floor((own?.concurrency ?? defaultConcurrency) * blobShare))
}

/** The turns of one host, first come, first served. */
class Turns {
  readonly #host: Host
  readonly #clock: Services['clock']
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(host: Host, slots: number, { clock }: Services) {
    this.#host = host
    this.#free = slots
    this.#clock = clock
  }

  /** @throws Fault `rate-limited` when none comes free in time, `cancelled` */
  async take(signal: AbortSignal): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    let isHeld = true
    return () => {
      if (isHeld) this.#giveOn()
      isHeld = false
    }
  }

  #giveOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const end = AbortSignal.any([signal, over.signal])
    let enter = (): void => undefined
    const entered = new Promise<'entered'>((resolve) => {
      enter = () => resolve('entered')
    })
    this.#waiting.push(enter)
    const late = this.#clock.sleep(turnWaitMs, end).then(
      () => 'late' as const,
      () => 'gone' as const,
    )
    const outcome = await Promise.race([entered, late])
    over.abort()
    if (outcome === 'entered') return
    const place = this.#waiting.indexOf(enter)
    if (place < 0) this.#giveOn()
    else this.#waiting.splice(place, 1)
    if (outcome === 'gone') throw new Fault('cancelled', 'cancelled', { cause: signal.reason })
    const until = this.#clock.now() + turnWaitMs
    throw new Fault('rate-limited', `too many blobs of ${this.#host} are being sent`, { data: { until } })
  }
}

/** `opened`, which gives its turn back when it is read or left; a generator that nobody began would not tell. */
function releasing(opened: OpenedBlob, release: () => void): OpenedBlob {
  const iterator = opened.bytes[Symbol.asyncIterator]()
  const close = () => {
    release()
    opened.close()
  }
  const bytes = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const result = await iterator.next()
          if (result.done) release()
          return result
        } catch (error) {
          release()
          throw error
        }
      },
      async return() {
        close()
        await iterator.return?.()
        return { done: true as const, value: undefined }
      },
    }),
  }
  return { ...opened, bytes, close }
}
