import { Fault } from '../core/fault.js'
import type { HttpResponse } from '../http/send.js'

/**
 * The target of `Link: <…>; rel="next"` (RFC 8288), relative or absolute; null on the last page.
 * @param what for the message: `the list of tags of …`
 * @throws Fault `broken-answer` when it leaves the origin that was asked
 */
export function nextLink(response: HttpResponse, what: string): URL | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(headerText(response.headers.link))?.[1]
  return target === undefined ? null : nextUrl(target, response, what)
}

/** As {@link nextLink}, where the target stands in the body. */
export function nextUrl(target: string, response: HttpResponse, what: string): URL {
  if (!URL.canParse(target, response.url.href)) throw new Fault('broken-answer', `the next page of ${what} is nowhere`)
  const next = new URL(target, response.url)
  if (next.origin === response.url.origin) return next
  throw new Fault('broken-answer', `the next page of ${what} is on another origin, ${next.origin}`)
}

/** What of a URL is asked of a host that is known already: so nothing is ever sent to another. */
export function pathOf(url: URL): string {
  return `${url.pathname}${url.search}`
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '')
}
