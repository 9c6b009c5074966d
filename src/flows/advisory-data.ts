import type { Advisories } from '../core/advisory.js'
import { isFault } from '../core/fault.js'
import type { ShownSnapshot } from '../core/finding.js'
import { formatTime } from '../core/time.js'
import type { Services } from './open.js'

/** What is said of findings besides the advisory data: files of this machine. */
export interface JudgeDocuments {
  /** Paths of VEX documents, besides those of `vex:` in the configuration; {@link attachedVex} for those attached to the image. */
  readonly vex?: readonly string[] | undefined
  /** Path of an ignore file. */
  readonly ignoreFile?: string | undefined
}

/** In the place of a path: the VEX documents that are attached to the image. */
export const attachedVex = 'attached'

/** The advisory data as it is now, for whoever asks to close; null where there is none at all. Throws as `openJudge`. */
export async function advisoriesIfAny(services: Services): Promise<Advisories | null> {
  try {
    return await services.advisories()
  } catch (error) {
    if (isFault(error, 'no-advisory-data')) return null
    throw error
  }
}

/** As documents show it: which sources it has tells which rules of a gate can be judged at all. */
export function shownSnapshot({ identity, sources }: Pick<Advisories, 'identity' | 'sources'>): ShownSnapshot {
  const named = sources.filter(({ records }) => records > 0).map(({ name }) => name)
  return { id: identity.id, builtAt: formatTime(identity.builtAt), sources: [...new Set(named)].sort() }
}
