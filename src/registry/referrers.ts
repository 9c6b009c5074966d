import type { Digest } from '../core/digest.js'
import { isFault } from '../core/fault.js'
import { wireHost } from '../core/host.js'
import { limits } from '../core/limits.js'
import { type Descriptor, parseManifest } from '../core/manifest.js'
import { mediaTypes } from '../core/media-type.js'
import { formatRepository, type Repository } from '../core/reference.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import { manifest } from './manifest.js'
import type { Call } from './request.js'

/**
 * What is attached to a manifest: the referrers API of OCI distribution v1.1.1, and where a registry has none ("Unavailable
 * Referrers API"), the index under the tag `sha256-<hex>`. A redirect to another host counts as none: GitHub's registry
 * sends one that leads nowhere.
 * @throws Fault as `Registry.referrers`
 */
export async function referrers(
  access: Access,
  repository: Repository,
  digest: Digest,
  call: Call,
): Promise<readonly Descriptor[]> {
  const request = {
    method: 'GET',
    path: `referrers/${digest}`,
    accept: mediaTypes.ociIndex,
    maxBodyBytes: limits.referrersBytes,
  } as const
  const response = await access.send(repository, request, call)
  const isOwn = response.url.host === wireHost(repository.host)
  if (isOwn && response.status === 200) return childrenOf(response.body)
  // Quay answers 400 for a subject that it does not know; 404, 405 and 501 are registries without the API.
  if (!isOwn || [400, 404, 405, 501].includes(response.status)) return await byTag(access, repository, digest, call)
  throw answerFault(
    response,
    `the referrers of ${formatRepository(repository)}@${digest}`,
    access.pausedUntil(repository.host),
  )
}

async function byTag(
  access: Access,
  repository: Repository,
  digest: Digest,
  call: Call,
): Promise<readonly Descriptor[]> {
  try {
    // Only these two: what is called a repository may be a reference, whose own digest would be asked for.
    const { host, path } = repository
    const found = await manifest(access, { host, path, tag: digest.replace(':', '-') }, call)
    return childrenOf(found.bytes)
  } catch (error) {
    if (isFault(error, 'tag-not-found')) return []
    throw error
  }
}

function childrenOf(bytes: Uint8Array): readonly Descriptor[] {
  const parsed = parseManifest(bytes, mediaTypes.ociIndex)
  return parsed.kind === 'index' ? parsed.children : []
}
