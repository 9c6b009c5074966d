import { isDigest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import type { HistoryClaim } from '../core/history.js'
import type { JsonObject } from '../core/json-object.js'
import { limits } from '../core/limits.js'
import { formatReference, type TagReference } from '../core/reference.js'
import type { BulkContext } from './bulk/bulk-list.js'
import { quayTags, readQuayPage, secondsOf } from './bulk/quay.js'
import { readPages } from './bulk/read-list.js'
import type { Call } from './request.js'

/** From when to when a tag pointed at a digest; `endAt` is null while it does. */
interface Span {
  readonly claim: HistoryClaim
  readonly endAt: number | null
}

/**
 * What Quay says a tag has pointed at, oldest first, with its removals: its list of tags with those that are dead, of one name.
 * Quay keeps them for a while ("time machine", two weeks where nobody changed it). Null where that is not for us.
 * @throws Fault as `Registry.head`
 */
export async function quayHistory(
  context: BulkContext,
  reference: TagReference,
  call: Call,
): Promise<readonly HistoryClaim[] | null> {
  const what = `the history of ${formatReference(reference)}`
  const filter = { onlyActiveTags: 'false', specificTag: reference.tag }
  const spans: Span[] = []
  try {
    const ask = await quayTags(reference, filter, context, call)
    const pages = readPages({ ask, read: (value) => readQuayPage(value, what) }, what, (url) =>
      context.access.pausedUntil(url),
    )
    for await (const { entries } of pages) {
      // A server that does not know the filter would give other tags' past for this one's.
      for (const entry of entries) if (entry.name === reference.tag) spans.push(readSpan(entry, what))
      if (spans.length > limits.tags) throw new Fault('broken-answer', `${what} has no end`)
    }
  } catch (error) {
    if (isFault(error, 'denied', 'unsupported')) return null
    throw error
  }
  return claimsOf(spans, context.clock.now())
}

function readSpan({ manifest_digest, start_ts, end_ts }: JsonObject, what: string): Span {
  const at = secondsOf(start_ts)
  if (typeof manifest_digest !== 'string' || !isDigest(manifest_digest) || at === null)
    throw new Fault('broken-answer', `${what} has an entry that is none`)
  return { claim: { digest: manifest_digest, at }, endAt: secondsOf(end_ts) }
}

/** A span that ends where none begins is a removal. An end that is still to come is when the tag is to expire. */
function claimsOf(spans: readonly Span[], now: number): readonly HistoryClaim[] {
  const sorted = [...spans].sort((a, b) => a.claim.at - b.claim.at)
  return sorted.flatMap(({ claim, endAt }, index) => {
    const nextAt = sorted[index + 1]?.claim.at ?? Number.POSITIVE_INFINITY
    const isRemoved = endAt !== null && endAt <= now && endAt < nextAt
    return isRemoved ? [claim, { digest: null, at: Math.max(endAt, claim.at) }] : [claim]
  })
}
