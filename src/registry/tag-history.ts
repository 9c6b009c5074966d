import { isDigest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import type { HistoryClaim } from '../core/history.js'
import { objectOf, objectsOf } from '../core/json-object.js'
import { limits } from '../core/limits.js'
import { formatReference, type TagReference } from '../core/reference.js'
import { formatTime, parseTime } from '../core/time.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import type { Call } from './request.js'

/** Entries of one answer of Chainguard's API, which has no other pages than by time. */
const pageEntries = 1_000

/**
 * What the registry itself says a tag has pointed at, oldest first: Chainguard's Tag History API
 * (https://edu.chainguard.dev/chainguard/chainguard-images/features/using-the-tag-history-api/), which cgr.dev has and a Tidemark
 * server for every registry. Null where there is no such thing, or it is not for us: registries answer an unknown path with
 * anything from 400 to 405.
 * @throws Fault as `Registry.head`
 */
export async function tagHistory(
  access: Access,
  reference: TagReference,
  call: Call,
): Promise<readonly HistoryClaim[] | null> {
  const claims: HistoryClaim[] = []
  let start: number | null = null
  for (let page = 1; ; page++) {
    const query = start === null ? '' : `?start=${encodeURIComponent(formatTime(start))}`
    const path = `_chainguard/history/${reference.tag}${query}`
    const request = { method: 'GET', path, accept: 'application/json', maxBodyBytes: limits.tagsPageBytes } as const
    const response = await access.send(reference, request, call)
    if (response.status >= 400 && response.status <= 405) return null
    if (response.status !== 200) {
      throw answerFault(response, `the history of ${formatReference(reference)}`, access.pausedUntil(reference.host))
    }
    const found = readClaims(response.body, formatReference(reference))
    if (found === null) return null
    const known = new Set(claims.map(({ at, digest }) => `${at} ${digest}`))
    const fresh = found.filter(({ at, digest }) => !known.has(`${at} ${digest}`))
    claims.push(...fresh)
    const last = fresh.at(-1)
    if (found.length < pageEntries || last === undefined) return claims.sort((a, b) => a.at - b.at)
    if (page >= limits.pages)
      throw new Fault('broken-answer', `the history of ${formatReference(reference)} has no end`)
    start = last.at
  }
}

/** Null for what is no history: a page for people, or a list of something else. */
function readClaims(body: Buffer, what: string): HistoryClaim[] | null {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
  const { history } = objectOf(value)
  if (!Array.isArray(history)) return null
  return objectsOf(history).map(({ updateTimestamp, digest }) => {
    if (typeof digest === 'string' && isDigest(digest) && typeof updateTimestamp === 'string') {
      return { digest, at: parseTime(updateTimestamp) }
    }
    throw new Fault('broken-answer', `the history of ${what} has an entry that is none`)
  })
}
