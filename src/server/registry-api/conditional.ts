import type { Digest } from '../../core/digest.js'
import { Fault } from '../../core/fault.js'
import type { BlobRange } from '../../registry/registry.js'

/** The entity tag of content that a digest names. RFC 9110 section 8.8.3 */
export function etagOf(digest: Digest): string {
  return `"${digest}"`
}

/** Whether `If-None-Match` names `etag`, so that 304 is the answer: weak comparison, RFC 9110 section 13.1.2. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const listed = ifNoneMatch.split(',').map((entry) => entry.trim().replace(/^W\//, ''))
  return listed.includes(etag) || listed.includes('*')
}

/**
 * The part that `Range` asks for: RFC 9110 section 14.2. Null for the whole: without it, for several parts, for what is no range of
 * bytes, and where `If-Range` names something else.
 * @throws Fault `invalid-range` for the last none bytes
 */
export function readRange(range: string | undefined, ifRange: string | undefined, etag: string): BlobRange | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? '') ?? []
  if (ifRange !== undefined && ifRange !== etag) return null
  if (first === '') {
    if (last === '') return null
    if (Number(last) === 0) throw new Fault('invalid-range', 'the last 0 bytes are none')
    return { suffix: Number(last) }
  }
  if (last !== '' && Number(last) < Number(first)) return null
  return { first: Number(first), last: last === '' ? null : Number(last) }
}
