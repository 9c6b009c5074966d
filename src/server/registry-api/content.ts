import { Readable } from 'node:stream'
import { parseDigest } from '../../core/digest.js'
import { Fault } from '../../core/fault.js'
import { mediaTypes } from '../../core/media-type.js'
import { isTag, type Reference, type Repository } from '../../core/reference.js'
import type { Services } from '../../flows/open.js'
import type { BlobServer } from '../../flows/serve-blob.js'
import type { ManifestServer } from '../../flows/serve-manifest.js'
import { etagOf, isUnchanged, readRange } from './conditional.js'
import { askAgain, forever, type RegistryCall } from './registry-call.js'

/** A client that takes nothing for so long is gone: its connection, and ours to the registry, are wanted by others. */
const stalledMs = 60_000

/**
 * `GET` and `HEAD /v2/NAME/manifests/REFERENCE`. The bytes are those of the registry that holds them. `Accept` is not looked at, as
 * OCI distribution v1.1.1 allows: another form would have another digest.
 */
export async function sendManifest(
  { request, reply, ...call }: RegistryCall,
  repository: Repository,
  text: string,
  server: ManifestServer,
): Promise<unknown> {
  const reference = readReference(repository, text)
  const { digest, mediaType, bytes } = await server(reference, call)
  const etag = etagOf(digest)
  void reply
    .header('docker-content-digest', digest)
    .header('etag', etag)
    .header('cache-control', reference.digest === undefined ? askAgain : forever)
  if (isUnchanged(request.headers['if-none-match'], etag)) return await reply.code(304).send()
  void reply.header('content-type', safeType(mediaType)).header('content-length', bytes.byteLength)
  if (request.method === 'HEAD') return await reply.send()
  return await reply.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function readReference(repository: Repository, text: string): Reference {
  if (text.includes(':')) return { ...repository, digest: parseDigest(text) }
  if (isTag(text)) return { ...repository, tag: text }
  throw new Fault('tag-not-found', 'that is neither a tag nor a digest')
}

/** A registry, or who pushed there, calls a manifest what they like; a browser must not take it for a page of ours. */
function safeType(mediaType: string): string {
  if (mediaType === '') return mediaTypes.ociManifest
  return /^application\/[a-z0-9][a-z0-9.+-]{0,120}$/.test(mediaType) ? mediaType : 'application/octet-stream'
}

/** `GET` and `HEAD /v2/NAME/blobs/DIGEST`, whole or a part, as it comes from the registry that holds it. */
export async function sendBlob(
  { request, reply, ...call }: RegistryCall,
  repository: Repository,
  text: string,
  server: BlobServer,
): Promise<unknown> {
  const digest = parseDigest(text)
  const etag = etagOf(digest)
  const isConditional = isUnchanged(request.headers['if-none-match'], etag)
  if (request.method === 'HEAD' || isConditional) {
    const sizeBytes = await server.size(repository, digest, call)
    blobHeaders()
    if (isConditional) return await reply.code(304).send()
    if (sizeBytes !== null) void reply.header('content-length', sizeBytes)
    return await reply.send()
  }
  const range = readRange(request.headers.range, oneOf(request.headers['if-range']), etag)
  const { totalBytes, part, bytes } = await server.open(repository, digest, range, call)
  blobHeaders()
  if (part !== null) {
    void reply.code(206).header('content-range', `bytes ${part.first}-${part.last}/${totalBytes ?? '*'}`)
  }
  const lengthBytes = part === null ? totalBytes : part.last - part.first + 1
  if (lengthBytes !== null) void reply.header('content-length', lengthBytes)
  reply.raw.setTimeout(stalledMs, () => reply.raw.destroy())
  return await reply.send(Readable.from(bytes, { objectMode: false, highWaterMark: 64 * 1024 }))

  function blobHeaders(): void {
    void reply
      .header('content-type', 'application/octet-stream')
      .header('docker-content-digest', digest)
      .header('etag', etag)
      .header('accept-ranges', 'bytes')
      .header('cache-control', forever)
  }
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/**
 * `GET /v2/NAME/referrers/DIGEST?artifactType`: what is attached to a manifest, in one page; none where nobody knows of any.
 */
export async function sendReferrers(
  { reply, query, ...call }: RegistryCall,
  repository: Repository,
  text: string,
  services: Services,
): Promise<unknown> {
  const digest = parseDigest(text)
  const registry = await services.registry()
  const found = await registry.referrers(repository, digest, { ...call, priority: 'interactive' })
  const artifactType = query.get('artifactType')
  const wanted = artifactType === null ? found : found.filter((entry) => entry.artifactType === artifactType)
  if (artifactType !== null) void reply.header('oci-filters-applied', 'artifactType')
  const manifests = wanted.map(({ mediaType, digest, sizeBytes, artifactType, annotations }) => ({
    ...{ mediaType, digest, size: sizeBytes },
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations.size > 0 && { annotations: Object.fromEntries(annotations) }),
  }))
  const body = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
  void reply.header('content-type', mediaTypes.ociIndex).header('cache-control', askAgain)
  return await reply.send(Buffer.from(JSON.stringify(body)))
}
