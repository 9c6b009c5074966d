import { toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import { startAnalyzing } from './analyze-watched.js'
import type { Config } from './config.js'
import { createAbort, type Services } from './open.js'
import { rejudge, snapshotId } from './rejudge.js'
import type { ScheduledTag } from './scheduled-tag.js'

/** What is done with the images that watched tags point at: they are analyzed, and judged when there is newer advisory data. */
export interface WatchedImages {
  /** Has the image that a tag points at analyzed, where its watch or the configuration asks for that. */
  want(tag: ScheduledTag, config: Config): void
  /** Looks, at most every {@link rejudgeMs}, whether there is newer advisory data, and what it says of these tags. */
  rejudge(tags: readonly ReadonlyMap<number, ScheduledTag>[]): void
  /** Ends at once; what was read or judged is kept. */
  stop(): Promise<void>
}

/** How often newer advisory data is looked for. */
const rejudgeMs = 10_000

/** Starts with nothing to do. */
export function startWatchedImages(services: Services, log: Log, counts: { analyzed: number }): WatchedImages {
  const abort = createAbort()
  const analyzer = startAnalyzing(services, log, counts)
  let running: Promise<void> | null = null
  let lookedAt: number | null = null
  let judgedBy: string | null = null
  const judgeAnew = async (tags: readonly ReadonlyMap<number, ScheduledTag>[]) => {
    try {
      const id = await snapshotId(services)
      if (id === null || id === judgedBy) return
      const all = tags.flatMap((lane) => [...lane.values()])
      const { judged, told } = await rejudge(all, services, abort.signal)
      judgedBy = id
      if (judged > 0) log.info({ snapshot: id, judged, told }, 'images judged by newer advisory data')
    } catch (error) {
      if (!abort.signal.aborted) log.warn({ fault: toFault(error).message }, 'images could not be judged')
    }
  }
  return {
    want({ tagId, reference, digest, analyze }, config) {
      if (digest !== null && (analyze ?? config.analyze ?? false)) analyzer.want(reference, digest, tagId)
    },
    rejudge(tags) {
      const now = services.clock.now()
      if (running !== null || abort.signal.aborted || (lookedAt !== null && now - lookedAt < rejudgeMs)) return
      lookedAt = now
      running = judgeAnew(tags).finally(() => {
        running = null
      })
    },
    async stop() {
      abort.abort()
      await Promise.all([analyzer.stop(), running])
    },
  }
}
