import { Fault } from '../core/fault.js'
import { KeptValues } from '../core/kept-values.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { HistoryCursor } from '../store/store.js'
import type { Services } from './open.js'

/** What is asked of {@link TagHistoryServer}. */
export interface TagHistoryQuestion {
  readonly reference: TagReference
  /** Inclusive. */
  readonly start?: number | undefined
  /** Exclusive. */
  readonly end?: number | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after?: HistoryCursor | undefined
}

/** A page of the Tag History API. */
export interface TagHistoryPage {
  /** `{"history":[{"updateTimestamp","digest"}]}`, UTF-8. Removals are left out: the form has none. */
  readonly body: Buffer
  readonly next: HistoryCursor | null
  /** Grows with every change of the tag's history. */
  readonly version: number
}

/**
 * Answers the Tag History API.
 * @throws Fault `not-watched`
 */
export type TagHistoryServer = (question: TagHistoryQuestion) => Promise<TagHistoryPage>

/** Entries of one page at most: what Chainguard's API gives. */
export const tagHistoryEntries = 1_000

/** Kept pages together; one of 1,000 entries has some 130 kB. */
const keptBytes = 32 * 1024 * 1024

/** See {@link TagHistoryServer}. The page of the question without parameters is kept until the tag's history changes. */
export function createTagHistoryServer(services: Services): TagHistoryServer {
  const kept = new KeptValues<TagHistoryPage>(keptBytes)
  return async (question) => {
    const { tags } = await services.store()
    const { reference } = question
    const version = await tags.historyVersion(reference)
    if (version === null) throw missing(reference)
    if (!isPlain(question)) return await readPage(question, version, services)
    const name = formatReference(reference)
    const known = kept.get(name)
    if (known?.version === version) return known
    const page = await readPage(question, version, services)
    kept.put(name, page, page.body.length)
    return page
  }
}

function isPlain({ start, end, limit, order, after }: TagHistoryQuestion): boolean {
  const hasBounds = start !== undefined || end !== undefined || after !== undefined
  return !hasBounds && limit === tagHistoryEntries && order === 'asc'
}

/** A version that was read before the page is never newer than the page: at worst it is read again. */
async function readPage(question: TagHistoryQuestion, version: number, services: Services): Promise<TagHistoryPage> {
  const { reference, start, end, limit, order, after } = question
  const { history } = await services.store()
  const page = await history.page(reference, {
    ...{ limit, order, withoutRemovals: true },
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    ...(after && { after }),
  })
  if (page === null) throw missing(reference)
  const entries = page.entries.map(({ at, digest }) => ({ updateTimestamp: formatTime(at), digest }))
  return { body: Buffer.from(JSON.stringify({ history: entries })), next: page.next, version }
}

function missing(reference: TagReference): Fault {
  return new Fault('not-watched', `there is no history of ${formatReference(reference)}`)
}
