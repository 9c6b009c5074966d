import { digestOf, isDigest } from '../core/digest.js'
import { parseManifest } from '../core/manifest.js'
import { mediaTypes } from '../core/media-type.js'
import { type Answer, bytes, empty, json, ociError, ociFault, type RegistryRequest } from './answer.js'
import type { Content, RepositoryContent, StoredManifest } from './content.js'
import type { Script } from './script.js'

const unknownRepository = () => ociFault('repository-not-found', 'repository name not known to registry')

/**
 * GET and HEAD of a manifest by tag or digest. `Accept` is not looked at: the stored bytes are served. A 304 carries neither
 * entity tag nor digest, as distribution 2.8 answers.
 */
export function readManifest(content: Content, name: string, reference: string, request: RegistryRequest): Answer {
  const repository = content.find(name)
  if (repository === undefined) return unknownRepository()
  const manifest = findManifest(repository, reference)
  if (manifest === undefined) return ociFault('tag-not-found', 'manifest unknown')
  if (String(request.headers['if-none-match'] ?? '').replaceAll('"', '') === manifest.digest) return empty(304)
  return bytes(200, manifest.bytes, {
    'content-type': manifest.mediaType,
    'docker-content-digest': manifest.digest,
    etag: `"${manifest.digest}"`,
  })
}

/** GET and HEAD of a blob, whole or one range of it. */
export function readBlob(content: Content, name: string, digest: string, request: RegistryRequest): Answer {
  const repository = content.find(name)
  if (repository === undefined) return unknownRepository()
  if (!isDigest(digest)) return ociFault('invalid-digest', 'invalid digest')
  const blob = repository.blobs.get(digest)
  if (blob === undefined) return ociError(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers.range ?? ''))
  if (range === null) return bytes(200, blob, headers)
  const first = Number(range[1])
  const last = Math.min(range[2] === '' ? blob.byteLength - 1 : Number(range[2]), blob.byteLength - 1)
  if (first > last) return bytes(416, new Uint8Array(0), { 'content-range': `bytes */${blob.byteLength}` })
  const contentRange = `bytes ${first}-${last}/${blob.byteLength}`
  return bytes(206, blob.subarray(first, last + 1), { ...headers, 'content-range': contentRange })
}

/** A page of tags, in ASCII order. */
export function readTags(content: Content, name: string, request: RegistryRequest, script: Script): Answer {
  const repository = content.find(name)
  if (repository === undefined) return unknownRepository()
  const asked = request.query.get('n')
  if (asked !== null && !/^\d+$/.test(asked))
    return ociError(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results')
  const limit = Math.min(asked === null ? Number.MAX_SAFE_INTEGER : Number(asked), script.pageSize ?? 1_000)
  const last = request.query.get('last') ?? ''
  const rest = [...repository.tags.keys()].sort().filter((tag) => tag > last)
  const tags = rest.slice(0, limit)
  const more = rest.length > tags.length && tags.length > 0
  const link = more ? { link: nextLink(name, limit, tags.at(-1) ?? '', request, script) } : {}
  if (script.digests === undefined) return json(200, { name, tags }, link)
  return json(200, { name, tags, manifest: manifestMap(listedTags(name, repository, script), tags) }, link)
}

/** What lists say, where it is not what is so: by script, because a new one begins anew. */
const frozen = new WeakMap<Script, Map<string, ReadonlyMap<string, string>>>()

function listedTags(name: string, { tags }: RepositoryContent, script: Script): ReadonlyMap<string, string> {
  if (script.digests === 'live') return tags
  const lists = frozen.get(script) ?? new Map<string, ReadonlyMap<string, string>>()
  frozen.set(script, lists)
  const listed = lists.get(name) ?? new Map(tags)
  lists.set(name, listed)
  return listed
}

/** As go-containerregistry reads it, pkg/v1/google/list.go. */
function manifestMap(listed: ReadonlyMap<string, string>, tags: readonly string[]): Record<string, { tag: string[] }> {
  const map: Record<string, { tag: string[] }> = {}
  for (const tag of tags) {
    const digest = listed.get(tag)
    if (digest === undefined) continue
    map[digest] ??= { tag: [] }
    map[digest].tag.push(tag)
  }
  return map
}

function nextLink(name: string, limit: number, last: string, request: RegistryRequest, script: Script): string {
  const path = (after: string) => `/v2/${name}/tags/list?n=${limit}&last=${encodeURIComponent(after)}`
  const forms = {
    relative: path(last),
    absolute: `${request.origin}${path(last)}`,
    loop: path(request.query.get('last') ?? ''),
    foreign: `https://elsewhere.example${path(last)}`,
  }
  return `<${forms[script.links ?? 'relative']}>; rel="next"`
}

/** What refers to `digest`: OCI distribution specification v1.1.1, "Listing Referrers". */
export function readReferrers(content: Content, name: string, digest: string, request: RegistryRequest): Answer {
  if (!isDigest(digest)) return ociFault('invalid-digest', 'invalid digest')
  const wanted = request.query.get('artifactType')
  const manifests = [...(content.find(name)?.manifests.values() ?? [])]
    .map((stored) => describeReferrer(stored, digest))
    .filter((descriptor) => descriptor !== undefined)
    .filter((descriptor) => wanted === null || descriptor.artifactType === wanted)
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
  const filters = wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }
  return { ...json(200, index), headers: { 'content-type': mediaTypes.ociIndex, ...filters } }
}

function describeReferrer(stored: StoredManifest, subject: string) {
  const manifest = parseManifest(stored.bytes, stored.mediaType)
  if (manifest.subject?.digest !== subject) return undefined
  return {
    mediaType: stored.mediaType,
    digest: stored.digest,
    size: stored.bytes.byteLength,
    artifactType: manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined),
    annotations: Object.fromEntries(manifest.annotations),
  }
}

function findManifest(repository: RepositoryContent, reference: string): StoredManifest | undefined {
  const digest = isDigest(reference) ? reference : repository.tags.get(reference)
  return digest === undefined ? undefined : repository.manifests.get(digest)
}

/** Whether `body` is what `digest` names. */
export function isContentOf(body: Uint8Array, digest: string): boolean {
  return isDigest(digest) && digestOf(body, digest.startsWith('sha512') ? 'sha512' : 'sha256') === digest
}
