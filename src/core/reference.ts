import { type Digest, isDigest } from './digest.js'
import { Fault, oneLine } from './fault.js'
import { type Host, parseHost } from './host.js'

/** A repository on a registry: `docker.io` and `library/nginx`. */
export interface Repository {
  readonly host: Host
  /** The name on that host, `[a-z0-9]` components separated by slashes. */
  readonly path: string
}

/**
 * What a user types, parsed once. Grammar of github.com/distribution/reference v0.6.0, with Docker Hub's names folded into
 * `docker.io` and `library/` added. At least one of `tag` and `digest` is there; both when the user pinned a tag.
 */
export interface Reference extends Repository {
  readonly tag?: string
  readonly digest?: Digest
}

/** A reference with a tag: what can move. */
export interface TagReference extends Reference {
  readonly tag: string
}

/** Pattern of one step of a repository's path: OCI distribution specification v1.1.1, "Pulling manifests". */
export const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const pathPattern = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`)
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const maxNameLength = 255
/** Longer than any valid reference: 255 of name, 128 of tag, 135 of digest and their separators. */
const maxInputLength = 600

/** True when both are the same repository; what else a reference says does not count. */
export function isSameRepository(a: Repository, b: Repository): boolean {
  return a.host === b.host && a.path === b.path
}

/** True when `text` may be a tag: OCI distribution specification v1.1.1, "Pulling manifests". */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}

/**
 * Reads `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`. Without tag and digest the tag is `latest`.
 * @throws Fault `invalid-reference`, `invalid-digest`
 */
export function parseReference(text: string): Reference {
  const { repository, tag, digest } = split(text)
  return { ...repository, ...(tag || !digest ? { tag: tag ?? 'latest' } : {}), ...(digest && { digest }) }
}

/**
 * Reads a reference that must name a tag and no digest.
 * @throws Fault `invalid-reference`
 */
export function parseTagReference(text: string): TagReference {
  const { repository, tag, digest } = split(text)
  if (digest !== undefined) {
    throw refuse(text, 'a tag is wanted here, and a digest never moves', 'Leave out the part from the @ on.')
  }
  return { ...repository, tag: tag ?? 'latest' }
}

/**
 * Reads `[HOST[:PORT]/]REPOSITORY`; a tag or digest is refused.
 * @throws Fault `invalid-reference`
 */
export function parseRepository(text: string): Repository {
  const { repository, tag, digest } = split(text)
  if (tag !== undefined || digest !== undefined) {
    throw refuse(
      text,
      'a repository is wanted here, without tag and digest',
      `Write \`${formatRepository(repository)}\`.`,
    )
  }
  return repository
}

/** `docker.io/library/nginx:1.27@sha256:…`, which {@link parseReference} reads back to the same. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${formatRepository(reference)}${tag}${digest}`
}

/** `docker.io/library/nginx`. */
export function formatRepository(repository: Repository): string {
  return `${repository.host}/${repository.path}`
}

/**
 * A reference written in the source: ``reference`ghcr.io/org/app:1.2` ``. Takes constants only; a `${variable}` does not
 * compile, because what comes from outside must go through {@link parseReference} where its fault can be handled.
 */
export function reference(strings: TemplateStringsArray): Reference {
  return parseReference(strings.join(''))
}

function split(text: string): { repository: Repository; tag?: string; digest?: Digest } {
  if (text.length > maxInputLength) throw refuse(text, 'it is too long')
  if (text === '') throw refuse(text, 'it is empty')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw refuse(text, 'it is a URL', `Write \`${text.replace(/^[^:]+:\/\//, '').replace(/\/+$/, '')}\`.`)
  }
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : readDigest(text, text.slice(at + 1))
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/') && !named.endsWith(']')
  const tag = hasTag ? named.slice(colon + 1) : undefined
  if (tag !== undefined && !isTag(tag)) throw refuse(text, `'${oneLine(tag.slice(0, 140))}' is not a tag`)
  const repository = readRepository(text, hasTag ? named.slice(0, colon) : named)
  return { repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

function readDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest
  throw new Fault('invalid-digest', `not a reference: '${oneLine(text.slice(0, 120))}' (bad digest after the @)`)
}

function readRepository(text: string, name: string): Repository {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isHost = first === 'localhost' || /[.:]/.test(first)
  const host = isHost ? parseHost(first) : parseHost('docker.io')
  const path = isHost ? name.slice(slash + 1) : name
  if (!pathPattern.test(path)) {
    const lower = path.toLowerCase()
    const onlyCase = path !== lower && pathPattern.test(lower)
    throw onlyCase
      ? refuse(text, 'repository names are lower case', `Write \`${text.replace(path, lower)}\`.`)
      : refuse(text, `'${oneLine(path.slice(0, 80))}' is not a repository name`)
  }
  if (!isHost && /^[0-9a-f]{64}$/.test(path)) throw refuse(text, 'it looks like an image id, which no registry knows')
  const fullPath = host === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  if (host.length + 1 + fullPath.length > maxNameLength) throw refuse(text, 'its name is longer than 255 characters')
  return { host, path: fullPath }
}

function refuse(text: string, why: string, fix?: string): Fault {
  const shown = oneLine(text.length > 120 ? `${text.slice(0, 119)}…` : text)
  return new Fault('invalid-reference', `not a reference: '${shown}' (${why})`, fix === undefined ? {} : { fix })
}
