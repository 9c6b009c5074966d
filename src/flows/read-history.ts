import { Fault } from '../core/fault.js'
import type { HistoryEntry, HistoryGap } from '../core/history.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { parseRevision } from '../core/revision.js'
import type { HistoryCursor } from '../store/store.js'
import { everyMsOf } from './config.js'
import type { Services } from './open.js'
import { upstreamOf } from './own-reference.js'
import { momentMs } from './resolve.js'

/** What is asked of {@link readHistory}. */
export interface HistoryQuestion {
  /** A tag, or `REF@{…}`: its history up to that moment. */
  readonly revision: string
  /** Inclusive. */
  readonly start?: number | undefined
  /** Exclusive. */
  readonly end?: number | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after?: HistoryCursor | undefined
}

/** A page of a tag's history, with the gaps that touch what was asked for. */
export interface HistoryPage {
  readonly reference: TagReference
  readonly entries: readonly HistoryEntry[]
  readonly gaps: readonly HistoryGap[]
  readonly next: HistoryCursor | null
}

/**
 * Reads the history of a tag.
 * @throws Fault `invalid-reference`, `not-watched`, `before-history`
 */
export async function readHistory(question: HistoryQuestion, services: Services): Promise<HistoryPage> {
  const { reference: named, moment } = parseRevision(question.revision)
  const reference = await upstreamOf(named, services)
  if (reference.tag === undefined || reference.digest !== undefined) {
    throw new Fault('invalid-reference', 'a digest has no history: it never moves', { fix: 'Leave out the digest.' })
  }
  const tag: TagReference = { ...reference, tag: reference.tag }
  const { history } = await services.store()
  let { end } = question
  if (moment !== undefined) {
    const until = await upTo(tag, moment, services)
    end = end === undefined ? until : Math.min(end, until)
  }
  const { start, limit, order, after } = question
  const range = {
    limit,
    order,
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    ...(after && { after }),
  }
  const page = await history.page(tag, range)
  if (
    page !== null &&
    moment !== undefined &&
    page.entries.length === 0 &&
    after === undefined &&
    start === undefined
  ) {
    throw new Fault('before-history', `the history of ${formatReference(tag)} begins later`)
  }
  if (page === null) throw new Fault('not-watched', `there is no history of ${formatReference(tag)}`)
  const span = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) }
  const gaps = await history.gaps(tag, span, everyMsOf(await services.config()))
  return { reference: tag, entries: page.entries, gaps, next: page.next }
}

/** The exclusive end of a history up to a moment. */
async function upTo(
  tag: TagReference,
  moment: NonNullable<ReturnType<typeof parseRevision>['moment']>,
  services: Services,
): Promise<number> {
  if (!('back' in moment)) return momentMs(moment, services.clock.now()) + 1
  const { history } = await services.store()
  const entry = await history.back(tag, moment.back)
  if (entry === null) {
    throw new Fault('before-history', `the history of ${formatReference(tag)} does not go back ${moment.back} moves`)
  }
  return entry.at + 1
}

/** A cursor as text, for a `Link` header. */
export function formatHistoryCursor({ at, id }: HistoryCursor): string {
  return `${at}.${id}`
}

/**
 * The inverse of {@link formatHistoryCursor}.
 * @throws Fault `invalid-argument`
 */
export function parseHistoryCursor(text: string): HistoryCursor {
  const [, at, id] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? []
  if (at === undefined || id === undefined) {
    throw new Fault('invalid-argument', 'not a cursor of ours', {
      fix: 'Take it from the Link header of the page before.',
    })
  }
  return { at: Number(at), id: Number(id) }
}
