import { isDigest } from '../../core/digest.js'
import { isFault } from '../../core/fault.js'
import { parseHost } from '../../core/host.js'
import { isTag, parseReference, parseRepository } from '../../core/reference.js'
import type { PushEvent } from '../../flows/hint.js'

/** What a sender says of one tag, not looked at yet. */
export interface SaidOfTag {
  readonly host: unknown
  readonly repository: unknown
  readonly tag: unknown
  /** What it points at now. Left out where it was removed. */
  readonly digest?: unknown
}

/** Reads what a sender says of one tag; null where that names none by the grammar of references. */
export function pushEvent({ host, repository, tag, digest }: SaidOfTag): PushEvent | null {
  if (typeof host !== 'string' || typeof repository !== 'string' || typeof tag !== 'string' || !isTag(tag)) return null
  return orNull(() => {
    const named = parseHost(host)
    // Behind a name with a dot: a host such as `registry` would be taken for a part of the path.
    const place = named === 'docker.io' ? named : 'registry.invalid'
    const { path } = parseRepository(`${place}/${repository}`)
    return { reference: { host: named, path, tag }, digest: digestOrNull(digest) }
  })
}

/** Reads `HOST/PATH:TAG` as a sender writes it; null where there is no tag. */
export function pushEventOf(reference: unknown, digest?: unknown): PushEvent | null {
  if (typeof reference !== 'string') return null
  return orNull(() => {
    const { host, path, tag } = parseReference(reference)
    const isWritten = tag !== undefined && reference.endsWith(`:${tag}`)
    return isWritten ? { reference: { host, path, tag }, digest: digestOrNull(digest) } : null
  })
}

/** `HOST` of `HOST/PATH…`; undefined where there is none. */
export function hostOf(reference: unknown): string | undefined {
  return typeof reference === 'string' && reference.includes('/') ? reference.split('/', 1)[0] : undefined
}

function digestOrNull(digest: unknown): PushEvent['digest'] {
  return typeof digest === 'string' && isDigest(digest) ? digest : null
}

function orNull<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}
