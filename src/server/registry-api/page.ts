import { Fault } from '../../core/fault.js'

/** What a client wants of a list: `n` and `last`, OCI distribution v1.1.1, "Listing Tags". */
export interface PageQuestion {
  readonly limit: number
  /** Exclusive; it need not be there any more. Null for the first page. */
  readonly last: string | null
}

/** Names of one page at most: 10,000 tags of 128 characters are 1.3 MB. */
const pageEntries = 10_000

/** @throws Fault `invalid-page-size` */
export function readPageQuestion(query: URLSearchParams): PageQuestion {
  const text = query.get('n')
  if (text !== null && !/^\d{1,15}$/.test(text)) {
    throw new Fault('invalid-page-size', 'n is not a whole number of results')
  }
  return { limit: Math.min(text === null ? pageEntries : Number(text), pageEntries), last: query.get('last') }
}

/**
 * One page of `sorted`, with the `Link` header that leads to the next; null after the last.
 * @param path of the list, for the link
 */
export function pageOf(
  sorted: readonly string[],
  { limit, last }: PageQuestion,
  path: string,
  query: URLSearchParams,
): { entries: readonly string[]; link: string | null } {
  const from = last === null ? 0 : firstAfter(sorted, last)
  const entries = sorted.slice(from, from + limit)
  const end = entries.at(-1)
  if (end === undefined || from + limit >= sorted.length) return { entries, link: null }
  const next = new URLSearchParams(query)
  next.set('n', String(limit))
  next.set('last', end)
  return { entries, link: linkTo(path, next) }
}

/** A relative link: clients refuse one whose scheme or host is not what they asked. RFC 8288. */
export function linkTo(path: string, query: URLSearchParams): string {
  return `<${path}?${query}>; rel="next"`
}

function firstAfter(sorted: readonly string[], last: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) > last) high = middle
    else low = middle + 1
  }
  return low
}
