import { noCost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { type Fault, isFault, toFault } from '../core/fault.js'
import { faultCatalog } from '../core/fault-catalog.js'
import type { Log } from '../core/log.js'
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '../core/platform.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { analyzeImage } from './analyze-image.js'
import { createAbort, type Services } from './open.js'
import { rejudge } from './rejudge.js'

/** Reads the images that watched tags point at, one after the other, so that a diff or scan of them needs no registry. */
export interface WatchedAnalyzer {
  /** Has the image read, once; what is known already costs nothing. */
  want(reference: TagReference, digest: Digest, tagId: number): void
  /** Ends at once; what was read is kept. */
  stop(): Promise<void>
}

/** A registry that is away is asked again after this time, and after twice as long each time. */
const retryMs = 60_000
const maxAttempts = 6
/** Digests that are remembered as done: a restart finds them in the store. */
const maxDone = 100_000

interface Work {
  readonly reference: TagReference
  readonly digest: Digest
  readonly tagId: number
  readonly attempt: number
}

/**
 * Starts with nothing to do. From layers only: what gates ask of a stored inventory must not rest on an unsigned SBOM. Of an
 * index, the manifests for this machine's own architecture and for linux/amd64 are read, which are what commands and the Image
 * Diff API ask for where nobody says.
 */
export function startAnalyzing(services: Services, log: Log, counts: { analyzed: number }): WatchedAnalyzer {
  const abort = createAbort()
  const waiting: Work[] = []
  const known = new Set<string>()
  const running = new Set<Promise<void>>()
  let isReading = false
  const start = (task: Promise<void>) => {
    const tracked = task.finally(() => running.delete(tracked))
    running.add(tracked)
  }
  const begin = () => {
    if (!isReading) start(readAll())
  }
  const readAll = async () => {
    isReading = true
    for (let work = waiting.shift(); work !== undefined && !abort.signal.aborted; work = waiting.shift()) {
      try {
        await analyze(work, services, log, abort.signal)
        // What newer data say of it later is held against this.
        await rejudge([work], services, abort.signal)
        counts.analyzed++
      } catch (error) {
        if (!isFault(error, 'cancelled')) fail(work, toFault(error))
      }
    }
    isReading = false
  }
  const fail = ({ attempt, ...work }: Work, fault: Fault) => {
    const isOver = !faultCatalog[fault.code].retryable || attempt >= maxAttempts
    const fields = { reference: formatReference(work.reference), digest: work.digest, code: fault.code }
    log.warn({ ...fields, fault: fault.message }, isOver ? 'an image was not analyzed' : 'an image is analyzed later')
    if (!isOver) start(again({ ...work, attempt: attempt + 1 }))
  }
  const again = async (work: Work) => {
    try {
      await services.clock.sleep(retryMs * 2 ** (work.attempt - 2), abort.signal)
    } catch (error) {
      if (isFault(error, 'cancelled')) return
      throw error
    }
    waiting.push(work)
    begin()
  }
  return {
    want(reference, digest, tagId) {
      const key = `${reference.host}/${reference.path}@${digest}`
      if (known.has(key) || abort.signal.aborted) return
      if (known.size >= maxDone) known.clear()
      known.add(key)
      waiting.push({ reference, digest, tagId, attempt: 1 })
      begin()
    },
    async stop() {
      abort.abort()
      await Promise.all(running)
    },
  }
}

async function analyze(work: Work, services: Services, log: Log, signal: AbortSignal): Promise<void> {
  const { host, path } = work.reference
  const source = formatReference({ host, path, digest: work.digest })
  const reference = formatReference(work.reference)
  const call = {
    ...{ cost: noCost(), signal, evidence: 'layers' as const },
    warn: (message: string) => log.warn({ reference, digest: work.digest }, message),
  }
  for (const platform of wantedPlatforms()) {
    try {
      const { inventory } = await analyzeImage({ source, platform }, services, call)
      const { packages, complete } = inventory
      const fields = { reference, digest: work.digest, platform: formatPlatform(platform), complete }
      if (call.cost.bytes > 0)
        log.info({ ...fields, packages: packages.length, bytes: call.cost.bytes }, 'image analyzed')
    } catch (error) {
      if (!isFault(error, 'platform-not-found')) throw error
    }
  }
}

function wantedPlatforms(): readonly Platform[] {
  const own = hostPlatform(process.arch)
  const common = parsePlatform('linux/amd64')
  return formatPlatform(own) === formatPlatform(common) ? [own] : [own, common]
}
