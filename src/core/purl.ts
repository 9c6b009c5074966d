import type { Distribution, FoundPackage } from './package.js'

/** The parts of a package URL, decoded and normalized for its type (ECMA-427, "PURL Specification", section 5). */
export interface Purl {
  /** Lower case: `deb`, `npm`, `golang`. */
  readonly type: string
  /** Segments joined with `/`: `debian`, `@scope`, `org.apache.logging.log4j`; null for none. */
  readonly namespace: string | null
  readonly name: string
  /** null for none. */
  readonly version: string | null
  /** By lower-case key; never an empty value. */
  readonly qualifiers: ReadonlyMap<string, string>
}

/** No package of any ecosystem comes near; a longer text is not read. */
const maxPurlLength = 8_192
const maxQualifiers = 64

/** Types whose namespace is the distribution (purl-types: apk, deb, rpm, alpm). */
const distributionTypes = new Set(['alpm', 'apk', 'deb', 'rpm'])
/** Types whose name in its ecosystem is a path, of which the last segment is the purl's name. */
const pathTypes = new Set(['bitbucket', 'composer', 'github', 'golang', 'huggingface', 'npm', 'swift'])
/** Types that know no capitals (purl-types, "case_sensitive": false), in name and namespace. */
const lowerCaseTypes = new Set([
  'alpm',
  'apk',
  'bitbucket',
  'bitnami',
  'composer',
  'deb',
  'github',
  'hex',
  'npm',
  'pub',
])

/**
 * The canonical package URL of a package (ECMA-427 and the type definitions of purl-spec). For packages of a distribution the
 * namespace is its id, with `arch`, `distro=ID-VERSION` and, for rpm, `epoch` as qualifiers; where the distribution is
 * unknown there is no namespace: a guessed one would be another package. A Java archive whose group nobody names is `generic`,
 * as the type `maven` must have a namespace.
 */
export function packagePurl(found: FoundPackage, distribution: Distribution | null): string {
  const { type, architecture } = found
  if (!distributionTypes.has(type)) {
    const parts = splitName(type, found.name)
    return formatPurl({ ...parts, version: found.version || null, qualifiers: noQualifiers })
  }
  const epoch = type === 'rpm' ? /^(\d+):/.exec(found.version)?.[1] : undefined
  const qualifiers = new Map<string, string>()
  if (architecture) qualifiers.set('arch', architecture)
  if (distribution !== null) {
    const { id, versionId } = distribution
    qualifiers.set('distro', versionId === null ? id : `${id}-${versionId}`)
  }
  if (epoch !== undefined) qualifiers.set('epoch', epoch)
  return formatPurl({
    type,
    namespace: distribution?.id ?? null,
    name: found.name,
    version: found.version.slice(epoch === undefined ? 0 : epoch.length + 1) || null,
    qualifiers,
  })
}

/**
 * Reads a package URL, also one that is not in canonical form: other implementations encode other characters. Null when it is
 * none. A subpath is no part of a package and is left out.
 */
export function parsePurl(text: string): Purl | null {
  if (text.length > maxPurlLength || !/^pkg:/i.test(text)) return null
  const withoutSubpath = before(text.slice(4), '#')
  const path = trimSlashes(before(withoutSubpath, '?'))
  const slash = path.indexOf('/')
  if (slash < 0) return null
  const type = path.slice(0, slash).toLowerCase()
  if (!/^[a-z][a-z0-9.+-]*$/.test(type)) return null
  const qualifiers = parseQualifiers(withoutSubpath)
  const at = versionStart(path)
  const version = at < 0 ? '' : decode(path.slice(at + 1))
  const segments = path
    .slice(slash + 1, at < 0 ? undefined : at)
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode)
  const name = segments.pop()
  if (qualifiers === null || version === null || !name || segments.includes(null)) return null
  const namespace = segments.length === 0 ? null : segments.join('/')
  return normalize({ type, namespace, name, version: version === '' ? null : version, qualifiers })
}

/** The canonical text of a package URL. */
export function formatPurl(purl: Purl): string {
  const { type, namespace, name, version, qualifiers } = normalize(purl)
  let text = `pkg:${type}/`
  if (namespace !== null) text += `${namespace.split('/').map(encode).join('/')}/`
  text += encode(name)
  if (version !== null) text += `@${encode(version)}`
  let separator = '?'
  for (const key of [...qualifiers.keys()].sort()) {
    text += `${separator}${key}=${encode(qualifiers.get(key) as string)}`
    separator = '&'
  }
  return text
}

/** What {@link packagePurl} said of a package, read back: name and version as the ecosystem writes them. */
export function packageOfPurl(purl: Purl): Pick<FoundPackage, 'type' | 'name' | 'version' | 'architecture'> {
  const { type, namespace, qualifiers } = purl
  const epoch = type === 'rpm' ? qualifiers.get('epoch') : undefined
  const version = purl.version ?? ''
  const isPartOfName = namespace !== null && !distributionTypes.has(type)
  return {
    type,
    name: isPartOfName ? `${namespace}${type === 'maven' ? ':' : '/'}${purl.name}` : purl.name,
    version: epoch === undefined ? version : `${epoch}:${version}`,
    architecture: qualifiers.get('arch') ?? null,
  }
}

/** One spelling for each name of a type that has several: `Ruamel.Yaml` is `ruamel-yaml` on PyPI (see {@link Purl.name}). */
export function canonicalName(type: string, name: string): string {
  // PEP 503, "Normalized Names".
  if (type === 'pypi') return name.toLowerCase().replace(/[-_.]+/g, '-')
  return lowerCaseTypes.has(type) ? name.toLowerCase() : name
}

const noQualifiers: ReadonlyMap<string, string> = new Map()

function splitName(type: string, name: string): Pick<Purl, 'type' | 'namespace' | 'name'> {
  if (type === 'maven') {
    const colon = name.indexOf(':')
    return colon <= 0
      ? { type: 'generic', namespace: null, name }
      : { type, namespace: name.slice(0, colon), name: name.slice(colon + 1) }
  }
  const slash = pathTypes.has(type) ? name.lastIndexOf('/') : -1
  return slash <= 0
    ? { type, namespace: null, name }
    : { type, namespace: name.slice(0, slash), name: name.slice(slash + 1) }
}

function normalize(purl: Purl): Purl {
  const { type } = purl
  const hasLowerCaseNamespace = lowerCaseTypes.has(type) || type === 'rpm'
  return {
    ...purl,
    name: canonicalName(type, purl.name),
    namespace: (hasLowerCaseNamespace ? purl.namespace?.toLowerCase() : purl.namespace) ?? null,
  }
}

function before(text: string, separator: string): string {
  const at = text.lastIndexOf(separator)
  return at < 0 ? text : text.slice(0, at)
}

function trimSlashes(path: string): string {
  let start = 0
  let end = path.length
  while (start < end && path[start] === '/') start++
  while (end > start && path[end - 1] === '/') end--
  return path.slice(start, end)
}

/** Where the `@` before the version stands; -1 for none. One that begins a segment is npm's scope, not encoded as it should be. */
function versionStart(path: string): number {
  const at = path.lastIndexOf('@')
  return at > 0 && path[at - 1] === '/' ? -1 : at
}

function parseQualifiers(text: string): Map<string, string> | null {
  const qualifiers = new Map<string, string>()
  const question = text.lastIndexOf('?')
  if (question < 0) return qualifiers
  for (const pair of text.slice(question + 1).split('&', maxQualifiers)) {
    const equals = pair.indexOf('=')
    if (equals <= 0) continue
    const value = decode(pair.slice(equals + 1))
    if (value === null) return null
    if (value !== '') qualifiers.set(pair.slice(0, equals).toLowerCase(), value)
  }
  return qualifiers
}

function decode(text: string): string | null {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

/**
 * Letters, digits, `.-_~` and the colon stand for themselves, all else is encoded (ECMA-427, "Character encoding"). packageurl-js
 * leaves `+` as it is and encodes colons of qualifiers, which is why the text is not made by it.
 */
function encode(text: string): string {
  if (/^[\w.~:-]*$/.test(text)) return text
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))
    .replaceAll('%3A', ':')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
