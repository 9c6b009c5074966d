import { digestOf, isDigest } from '../../core/digest.js'
import { Fault, type FaultCode, isFault, oneLine } from '../../core/fault.js'
import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { isTag } from '../../core/reference.js'
import type { TagAssignment } from '../../core/tag-assignment.js'
import { parseTime } from '../../core/time.js'
import type { HttpResponse } from '../../http/send.js'
import type { DigestList } from './bulk-list.js'

/** Until when the host of an answer wants to be left alone, in milliseconds since the epoch; null when it does not. */
type PausedUntil = (url: URL) => number | null

/**
 * The pages of a list of digests. Entries that cannot be read are left out; where none can, it is no list.
 * @param what for messages: `the list of digests of docker.io/library/nginx`
 * @throws Fault as {@link readPages}; `broken-answer`
 */
export async function* readList(
  list: DigestList,
  what: string,
  pausedUntil: PausedUntil,
): AsyncIterable<readonly TagAssignment[]> {
  let named = 0
  let readable = 0
  for await (const page of readPages(list, what, pausedUntil)) {
    named += page.named
    readable += page.assignments.length
    if (named > limits.tags) throw new Fault('broken-answer', `${what} has no end`)
    if (page.assignments.length > 0) yield page.assignments
  }
  if (named > 0 && readable === 0)
    throw new Fault('broken-answer', `${what} has ${named} entries, and none can be read`)
}

/**
 * Pages of an API, bounded in number, and none of them twice.
 * @throws Fault `denied` where the API has nothing for us (401, 403, 404), `rate-limited`, `broken-answer`, `unsupported`, and
 *   what asking throws
 */
export async function* readPages<Page extends { readonly next: string | null }>(
  list: {
    ask(cursor: string | null): Promise<HttpResponse>
    read(value: unknown, response: HttpResponse, what: string): Page
  },
  what: string,
  pausedUntil: PausedUntil,
): AsyncIterable<Page> {
  const asked = new Set<string | null>()
  const seen = new Set<string>()
  let cursor: string | null = null
  do {
    if (asked.has(cursor) || asked.size >= limits.pages) {
      throw new Fault('broken-answer', `${what} goes in circles, or has no end`)
    }
    asked.add(cursor)
    const response = await list.ask(cursor)
    if (response.status !== 200) throw listFault(response, what, pausedUntil(response.url))
    const page: Page = list.read(parseJson(response, what), response, what)
    // Where we count the pages ourselves, a server that does not count shows by giving the same again.
    const body = digestOf(response.body)
    if (seen.has(body)) throw new Fault('broken-answer', `${what} goes in circles`)
    seen.add(body)
    yield page
    cursor = page.next
  } while (cursor !== null)
}

function parseJson(response: HttpResponse, what: string): unknown {
  try {
    return JSON.parse(response.body.toString('utf8'))
  } catch (cause) {
    throw new Fault('broken-answer', `${what} is not JSON`, { cause })
  }
}

/**
 * What an error of an API means. A 404 is `denied`, never `repository-not-found`: APIs hide with it what is not ours, and
 * many registries lack the API. That the list is not for us must not look as if the repository were gone.
 */
function listFault(response: HttpResponse, what: string, until: number | null): Fault {
  const { status, url, headers } = response
  const said = messageOf(response.body)
  const text = oneLine(`${what}: ${url.host} answers ${status}${said === '' ? '' : `: ${said}`}`)
  const fault = (code: FaultCode, fix?: string) =>
    new Fault(code, text, {
      ...(fix !== undefined && { fix }),
      data: { status, ...(code === 'rate-limited' && until !== null && { until }) },
    })
  // GitHub's API tells with 403 too that the hour's requests are used up.
  const isLimit = status === 403 && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)
  if (status === 429 || isLimit) return fault('rate-limited')
  if (status === 401 || status === 403 || status === 404) return fault('denied', noListFix)
  if (status === 408 || status === 504) return fault('timeout')
  return fault(status === 405 || status === 501 ? 'unsupported' : 'broken-answer')
}

/** What to do where a list is not for us. */
export const noListFix =
  'Nothing need be done: tags are asked for one by one. docs/registries.md says what the list needs ("Lists that carry digests").'

/** The first words that an error body has, in the forms of these APIs. */
function messageOf(body: Buffer): string {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    // A page for people has nothing more to tell than its status.
    return ''
  }
  const fields = objectOf(value)
  const [first] = Array.isArray(fields.errors) ? fields.errors : []
  const texts = [fields.message, objectOf(first).message, objectOf(fields.error).message, fields.detail]
  return texts.find((text): text is string => typeof text === 'string') ?? ''
}

/** An assignment; an empty list for what is none, so that entries can be flattened. */
export function assignmentOf(tag: unknown, digest: unknown, pushedAt: number | null): readonly TagAssignment[] {
  if (typeof tag !== 'string' || !isTag(tag) || typeof digest !== 'string' || !isDigest(digest)) return []
  return [{ tag, digest, pushedAt }]
}

/** A time of ISO 8601 in milliseconds since the epoch; null for none, and for the zero times that stand for none. */
export function timeOf(value: unknown): number | null {
  if (typeof value !== 'string') return null
  try {
    return momentOf(parseTime(value))
  } catch (error) {
    if (isFault(error, 'invalid-time')) return null
    throw error
  }
}

/** Milliseconds since the epoch, as a number or text; null for what is no such time. */
export function momentOf(ms: unknown): number | null {
  const number = typeof ms === 'string' && /^\d{1,16}$/.test(ms) ? Number(ms) : ms
  return typeof number === 'number' && number > 0 && number <= latestMs ? Math.floor(number) : null
}

/** The last that a Date can hold. */
const latestMs = 8.64e15

/** The entries of a list in JSON. @throws Fault `broken-answer` when it is no list */
export function entriesOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Fault('broken-answer', `${what} is no list`)
}
