import { Fault, oneLine } from '../../core/fault.js'
import { pathComponent } from '../../core/reference.js'

/** What a path below `/v2/` names. */
export type Target =
  | { readonly kind: 'base' | 'catalog' | 'unknown'; readonly name: null }
  | { readonly kind: 'tags'; readonly name: string }
  /** `reference` is a tag, a digest, or neither: not looked at yet. */
  | { readonly kind: 'manifest' | 'blob' | 'referrers' | 'history'; readonly name: string; readonly reference: string }

/** A port may follow the first component: curl and our own client write it so, though no image reference can. */
const namePattern = new RegExp(`^${pathComponent}(?::\\d{1,5})?(?:/${pathComponent})*$`)
/** As every client limits host and name together. */
const nameLength = 255
/** A name, the longest digest, and what stands between. */
const pathLength = 500

const patterns = [
  ['history', /^(.+)\/_chainguard\/history\/([^/]+)$/],
  ['manifest', /^(.+)\/manifests\/([^/]+)$/],
  ['blob', /^(.+)\/blobs\/([^/]+)$/],
  ['referrers', /^(.+)\/referrers\/([^/]+)$/],
] as const

/**
 * Reads a path as it came over the wire: OCI distribution v1.1.1, "Endpoints", from the right, because a name may have components
 * called `tags` or `manifests`. Nothing is unescaped or resolved before it is judged, but for the colon of a digest.
 * @throws Fault `invalid-reference` for a name that is none
 */
export function parseTarget(path: string): Target {
  const below = /^\/v2(?:\/(.*))?$/s.exec(path)?.[1] ?? ''
  if (below === '') return { kind: 'base', name: null }
  if (below === '_catalog') return { kind: 'catalog', name: null }
  if (path.length > pathLength) throw notAName(below)
  const tags = /^(.+)\/tags\/list$/.exec(below)?.[1]
  if (tags !== undefined) return { kind: 'tags', name: checkName(tags) }
  for (const [kind, pattern] of patterns) {
    const [, name, reference] = pattern.exec(below) ?? []
    if (name === undefined || reference === undefined) continue
    return { kind, name: checkName(name), reference: reference.replace(/%3a/i, ':') }
  }
  return { kind: 'unknown', name: null }
}

/** Whether `text` may be the name of a repository. */
export function isName(text: string): boolean {
  return text.length <= nameLength && namePattern.test(text)
}

function checkName(name: string): string {
  if (isName(name)) return name
  throw notAName(name)
}

function notAName(text: string): Fault {
  return new Fault('invalid-reference', `not the name of a repository: '${oneLine(text.slice(0, 80))}'`, {
    fix: 'Write it as UPSTREAM-HOST/PATH in lower case, for example `docker.io/library/nginx`; a port as `_5000`.',
  })
}
