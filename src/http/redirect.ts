import { Fault } from '../core/fault.js'
import { redactUrl } from '../core/secret.js'

const redirectStatuses = new Set([301, 302, 303, 307, 308])

/** Where an answer sends us on to; null when it does not. */
export interface Redirect {
  readonly url: URL
  /** Whether it is another origin, to which no credential goes. */
  readonly isForeign: boolean
}

/**
 * Reads the redirect of an answer to a HEAD or GET. Followed by hand, because credentials must stay with their origin
 * (OCI distribution v1.1.1, "Security considerations") and because every target goes through the address guard.
 * @throws Fault `broken-answer` for a target that is none, or that leaves https
 */
export function readRedirect(from: URL, status: number, location: string | undefined): Redirect | null {
  if (!redirectStatuses.has(status)) return null
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new Fault('broken-answer', `${from.host} redirects to nowhere`)
  }
  const url = new URL(location, from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Fault('broken-answer', `${from.host} redirects to ${redactUrl(url)}, which is not HTTP`)
  }
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new Fault('broken-answer', `${from.host} redirects to ${redactUrl(url)}, which is not encrypted`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new Fault('broken-answer', `${from.host} redirects to a URL with credentials in it`)
  }
  return { url, isForeign: url.origin !== from.origin }
}
