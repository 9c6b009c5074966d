import { randomUUID } from 'node:crypto'
import { digestOf, isDigest } from '../core/digest.js'
import { isFault } from '../core/fault.js'
import { parseManifest } from '../core/manifest.js'
import { isTag } from '../core/reference.js'
import { type Answer, empty, ociError, ociFault, type RegistryRequest } from './answer.js'
import type { Content } from './content.js'
import { isContentOf } from './read.js'

/** PUT of a manifest under a tag or its digest. What it points at is not looked for: tests need broken images too. */
export function writeManifest(content: Content, name: string, reference: string, request: RegistryRequest): Answer {
  if (!isTag(reference) && !isContentOf(request.body, reference)) {
    return ociFault('invalid-digest', 'the digest is not that of the body')
  }
  const contentType = String(request.headers['content-type'] ?? '')
  try {
    parseManifest(request.body, contentType)
  } catch (error) {
    if (isFault(error)) return ociError(400, 'MANIFEST_INVALID', error.message)
    throw error
  }
  const manifest = content.putManifest(name, reference, contentType, request.body)
  return empty(201, { location: `/v2/${name}/manifests/${manifest.digest}`, 'docker-content-digest': manifest.digest })
}

/** DELETE of a tag, or of a manifest with all tags that point at it. */
export function deleteManifest(content: Content, name: string, reference: string): Answer {
  const repository = content.find(name)
  if (repository === undefined) return ociFault('repository-not-found', 'repository name not known to registry')
  if (isDigest(reference)) {
    if (!repository.manifests.delete(reference)) return ociFault('tag-not-found', 'manifest unknown')
    for (const [tag, digest] of repository.tags) if (digest === reference) repository.tags.delete(tag)
  } else if (!repository.tags.delete(reference)) return ociFault('tag-not-found', 'manifest unknown')
  return empty(202)
}

/** Uploads of blobs that have begun and not ended. */
export class Uploads {
  readonly #chunks = new Map<string, Uint8Array[]>()

  /** POST: begins an upload, or takes the whole blob at once where `digest` is given. */
  begin(content: Content, name: string, request: RegistryRequest): Answer {
    const id = randomUUID()
    this.#chunks.set(id, [])
    if (request.query.has('digest')) return this.end(content, name, id, request)
    return empty(202, { location: `/v2/${name}/blobs/uploads/${id}`, range: '0-0', 'docker-upload-uuid': id })
  }

  /** PATCH: a chunk. */
  append(name: string, id: string, request: RegistryRequest): Answer {
    const chunks = this.#chunks.get(id)
    if (chunks === undefined) return ociError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    chunks.push(request.body)
    const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    const range = `0-${Math.max(0, length - 1)}`
    return empty(202, { location: `/v2/${name}/blobs/uploads/${id}`, range, 'docker-upload-uuid': id })
  }

  /** PUT: the last chunk and the digest. */
  end(content: Content, name: string, id: string, request: RegistryRequest): Answer {
    const chunks = this.#chunks.get(id)
    if (chunks === undefined) return ociError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    const blob = Buffer.concat([...chunks, request.body])
    if (!isContentOf(blob, request.query.get('digest') ?? '')) {
      return ociFault('invalid-digest', 'the digest is not that of the uploaded bytes')
    }
    this.#chunks.delete(id)
    const digest = digestOf(blob)
    content.repository(name).blobs.set(digest, blob)
    return empty(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest })
  }
}
