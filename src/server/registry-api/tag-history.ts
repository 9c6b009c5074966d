import { Fault, isFault } from '../../core/fault.js'
import { isTag, type Repository } from '../../core/reference.js'
import { parseTime } from '../../core/time.js'
import { formatHistoryCursor, parseHistoryCursor } from '../../flows/read-history.js'
import { type TagHistoryQuestion, type TagHistoryServer, tagHistoryEntries } from '../../flows/serve-history.js'
import { isUnchanged } from './conditional.js'
import { linkTo } from './page.js'
import type { RegistryCall } from './registry-call.js'

/**
 * `GET /v2/NAME/_chainguard/history/TAG?start&end`: Chainguard's Tag History API, and beyond it `limit`, `order`, `cursor` and a
 * `Link` to the next page. Parameters that are not known are left alone, as there.
 */
export async function sendTagHistory(
  call: RegistryCall,
  repository: Repository,
  tag: string,
  server: TagHistoryServer,
): Promise<unknown> {
  const { query, reply, request, path } = call
  if (!isTag(tag)) throw new Fault('tag-not-found', 'that is not a tag')
  const { body, next, version } = await server(readQuestion({ ...repository, tag }, query))
  const etag = `"history-${version}"`
  void reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (next !== null) {
    const following = new URLSearchParams(query)
    following.set('cursor', formatHistoryCursor(next))
    void reply.header('link', linkTo(path, following))
  }
  if (isUnchanged(request.headers['if-none-match'], etag)) return await reply.code(304).send()
  return await reply.header('content-type', 'application/json').send(body)
}

function readQuestion(reference: TagHistoryQuestion['reference'], query: URLSearchParams): TagHistoryQuestion {
  const [start, end] = [readTime(query, 'start'), readTime(query, 'end')]
  if (start !== undefined && end !== undefined && start > end) {
    throw new Fault('invalid-time', 'start lies after end', { fix: 'Exchange them.' })
  }
  const cursor = single(query, 'cursor')
  return {
    ...{ reference, start, end, limit: readLimit(query), order: readOrder(query) },
    ...(cursor !== undefined && { after: parseHistoryCursor(cursor) }),
  }
}

/** In a query a `+` is a space: the sign of an offset that nobody escaped is given back. */
function readTime(query: URLSearchParams, name: 'start' | 'end'): number | undefined {
  const text = single(query, name)
  if (text === undefined) return undefined
  try {
    return parseTime(text.replace(/ (\d{2}(?::?\d{2})?)$/, '+$1'))
  } catch (cause) {
    if (!isFault(cause, 'invalid-time')) throw cause
    // There are no ages here.
    throw new Fault('invalid-time', cause.message, { cause, fix: 'Write `2026-05-01` or `2026-05-01T12:00:00Z`.' })
  }
}

function readLimit(query: URLSearchParams): number {
  const text = single(query, 'limit') ?? String(tagHistoryEntries)
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= tagHistoryEntries) return limit
  throw new Fault('invalid-page-size', `limit is not a whole number from 1 to ${tagHistoryEntries}`)
}

function readOrder(query: URLSearchParams): 'asc' | 'desc' {
  const order = single(query, 'order') ?? 'asc'
  if (order === 'asc' || order === 'desc') return order
  throw new Fault('invalid-argument', 'order is neither asc nor desc')
}

function single(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name)
  if (others.length > 0) throw new Fault('invalid-argument', `${name} is given more than once`)
  return value
}
