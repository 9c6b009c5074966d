import { Fault } from '../core/fault.js'
import type { HistoryEntry, HistoryGap } from '../core/history.js'
import { formatReference, type Reference } from '../core/reference.js'
import { parseRevision, type Revision } from '../core/revision.js'
import { formatTime } from '../core/time.js'
import { everyMsOf } from './config.js'
import type { Services } from './open.js'
import { upstreamOf } from './own-reference.js'

/**
 * Reads `REF` or `REF@{…}` into a reference that can be asked for: a moment is looked up in the history and becomes the
 * digest that the tag had then.
 * @param warn told when the moment lies in a gap, where the tag may have pointed elsewhere
 * @throws Fault `invalid-reference`, `invalid-time`, `not-watched`, `before-history`, `tag-not-found` for a removal
 */
export async function resolveRevision(
  text: string,
  services: Services,
  warn: (message: string) => void,
): Promise<Reference> {
  const parsed = parseRevision(text)
  if (parsed.moment === undefined) return await upstreamOf(parsed.reference, services)
  const reference = await upstreamOf(parsed.reference, services)
  const entry = await findEntry({ reference, moment: parsed.moment }, services, warn)
  if (entry.digest === null) throw removedFault(reference, entry.at)
  return { ...reference, digest: entry.digest }
}

/** For a moment at which there was no such tag. @param at when it was removed, in milliseconds since the epoch */
export function removedFault(reference: Reference, at: number): Fault {
  const name = formatReference(reference)
  return new Fault('tag-not-found', `${name} was removed at ${formatTime(at)}`, {
    fix: `See what it was before with \`tidemark history ${name}\`.`,
  })
}

/** Warns where a moment lies in a gap: what a tag was then is what it was before. */
export function warnOfGap(
  name: string,
  gaps: readonly Pick<HistoryGap, 'from' | 'to' | 'reason'>[],
  timeMs: number,
  warn: (message: string) => void,
): void {
  const gap = gaps.find(({ from, to }) => from <= timeMs && (to === null || timeMs < to))
  if (gap === undefined) return
  const end = gap.to === null ? 'now' : formatTime(gap.to)
  warn(`${name} could not be asked from ${formatTime(gap.from)} to ${end} (${gap.reason}): it may have moved meanwhile`)
}

type Dated = Extract<Revision, { readonly moment: object }>

async function findEntry(
  { reference, moment }: Dated,
  services: Services,
  warn: (message: string) => void,
): Promise<HistoryEntry> {
  const { history, tags } = await services.store()
  const name = formatReference(reference)
  if ((await tags.find(reference)) === null) throw new Fault('not-watched', `there is no history of ${name}`)
  if ('back' in moment) {
    const entry = await history.back(reference, moment.back)
    if (entry !== null) return entry
    throw new Fault('before-history', `the history of ${name} does not go back ${moment.back} moves`)
  }
  const timeMs = momentMs(moment, services.clock.now())
  const entry = await history.at(reference, timeMs)
  if (entry === null) {
    throw new Fault('before-history', `the history of ${name} begins after ${formatTime(timeMs)}`)
  }
  const everyMs = everyMsOf(await services.config())
  const gaps = await history.gaps(reference, { start: timeMs, end: timeMs + 1 }, everyMs)
  warnOfGap(name, gaps, timeMs, warn)
  return entry
}

/** The time that a moment other than a step means. */
export function momentMs(moment: { readonly timeMs: number } | { readonly agoMs: number }, nowMs: number): number {
  return 'timeMs' in moment ? moment.timeMs : nowMs - moment.agoMs
}
