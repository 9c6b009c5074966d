import { type Answer, empty, json, ociError, type RegistryRequest } from './answer.js'
import type { Content } from './content.js'
import { readBlob, readManifest, readReferrers, readTags } from './read.js'
import type { Script } from './script.js'
import { deleteManifest, type Uploads, writeManifest } from './write.js'

/** What a path of the registry means. The name is matched greedily: its components may be called `tags` or `manifests`. */
export interface Target {
  readonly kind: 'base' | 'catalog' | 'manifest' | 'blob' | 'uploads' | 'upload' | 'tags' | 'referrers' | 'unknown'
  readonly name?: string
  readonly reference?: string
}

const patterns: readonly (readonly [Target['kind'], RegExp])[] = [
  ['tags', /^\/v2\/(.+)\/tags\/list$/],
  ['manifest', /^\/v2\/(.+)\/manifests\/([^/]+)$/],
  ['uploads', /^\/v2\/(.+)\/blobs\/uploads\/?$/],
  ['upload', /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/],
  ['blob', /^\/v2\/(.+)\/blobs\/([^/]+)$/],
  ['referrers', /^\/v2\/(.+)\/referrers\/([^/]+)$/],
]

/** Reads a path below `/v2/`. */
export function parseTarget(path: string): Target {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  for (const [kind, pattern] of patterns) {
    const match = pattern.exec(path)
    if (match !== null) return { kind, name: match[1] as string, ...(match[2] && { reference: match[2] }) }
  }
  return { kind: 'unknown' }
}

/** The honest answer to a request; what a script does to it comes after. */
export function answer(
  target: Target,
  request: RegistryRequest,
  content: Content,
  uploads: Uploads,
  script: Script,
): Answer {
  const { method } = request
  const { name = '', reference = '' } = target
  const isRead = method === 'GET' || method === 'HEAD'
  switch (target.kind) {
    case 'base':
      return json(200, {}, { 'docker-distribution-api-version': 'registry/2.0' })
    case 'catalog':
      return json(200, { repositories: content.names() })
    case 'manifest':
      if (isRead) return readManifest(content, name, reference, request)
      if (method === 'PUT') return writeManifest(content, name, reference, request)
      if (method === 'DELETE') return deleteManifest(content, name, reference)
      break
    case 'blob':
      if (isRead) return readBlob(content, name, reference, request)
      break
    case 'uploads':
      if (method === 'POST') return uploads.begin(content, name, request)
      break
    case 'upload':
      if (method === 'PATCH') return uploads.append(name, reference, request)
      if (method === 'PUT') return uploads.end(content, name, reference, request)
      break
    case 'tags':
      if (isRead) return readTags(content, name, request, script)
      break
    case 'referrers':
      if (script.referrers === false) return empty(404)
      if (isRead) return readReferrers(content, name, reference, request)
      break
    case 'unknown':
      return ociError(404, 'NAME_UNKNOWN', 'no such path')
  }
  return ociError(405, 'UNSUPPORTED', 'the operation is unsupported')
}
