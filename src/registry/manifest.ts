import { type Digest, digestAlgorithm, digestOf, isDigest } from '../core/digest.js'
import { Fault, oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { bareMediaType, manifestAccept } from '../core/media-type.js'
import { formatReference, type Reference } from '../core/reference.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import type { Call } from './request.js'

/** A manifest as the registry serves it. */
export interface FetchedManifest {
  /** Of `bytes`: computed, never believed. */
  readonly digest: Digest
  /** As the registry calls it, without parameters; empty when it does not. */
  readonly mediaType: string
  readonly bytes: Buffer
}

/** The path of a manifest below its repository. The digest wins where a reference has both. */
export function manifestPath(reference: Reference): string {
  return `manifests/${reference.digest ?? reference.tag ?? 'latest'}`
}

/**
 * Fetches a manifest. Its bytes are hashed before anything reads them, and must be what was asked for by digest, or what
 * `Docker-Content-Digest` says.
 * @throws Fault as `Registry.manifest`
 */
export async function manifest(access: Access, reference: Reference, call: Call): Promise<FetchedManifest> {
  const what = formatReference(reference)
  const request = {
    method: 'GET',
    path: manifestPath(reference),
    accept: manifestAccept,
    maxBodyBytes: limits.manifestBytes,
  } as const
  const { priority = 'manifest' } = call
  const response = await access.send(reference, request, { ...call, priority })
  if (response.status !== 200) throw answerFault(response, what, access.pausedUntil(reference.host))
  const { headers, body: bytes } = response
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new Fault('broken-answer', `the manifest of ${what} came compressed, which was not asked for`)
  }
  const claimed = reference.digest ?? headers['docker-content-digest']
  const expected = typeof claimed === 'string' && isDigest(claimed) ? claimed : undefined
  const digest = digestOf(bytes, expected === undefined ? 'sha256' : digestAlgorithm(expected))
  if (expected !== undefined && digest !== expected) {
    throw new Fault('broken-answer', `the manifest of ${what} is ${digest}, not ${expected} as the registry says`)
  }
  return { digest, mediaType: oneLine(bareMediaType(headers['content-type'] ?? '')), bytes }
}
