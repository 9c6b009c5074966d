import { type Digest, isDigest } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { parseManifest } from '../core/manifest.js'
import { bareMediaType, manifestAccept } from '../core/media-type.js'
import { formatReference, type Reference } from '../core/reference.js'
import type { HttpResponse } from '../http/send.js'
import type { Access, Call } from './access.js'
import { answerFault } from './answer-fault.js'
import { manifest, manifestPath } from './manifest.js'

/** What a reference points at. */
export interface Head {
  readonly digest: Digest
  /** As the registry calls it, without parameters. */
  readonly mediaType: string
}

/**
 * The truth table of a look:
 *
 * | HEAD answers            | digest header | then                                                       |
 * |-------------------------|---------------|------------------------------------------------------------|
 * | 200                     | valid         | that digest; 1 request                                     |
 * | 200                     | absent, bad   | GET, hash the body                                         |
 * | 404                     | –             | GET, whose body says what is missing                       |
 * | 405, 501                | –             | GET, and HEAD is not tried again on this host              |
 * | 401, 403, 429, 5xx …    | –             | the fault: a GET would cost quota and tell nothing more    |
 */
export async function head(access: Access, reference: Reference, call: Call): Promise<Head> {
  if (access.profile(reference.host).head === 'refused') return await byGet(access, reference, call)
  const request = { method: 'HEAD', path: manifestPath(reference), accept: manifestAccept, maxBodyBytes: 0 } as const
  const response = await access.send(reference, request, { ...call, priority: call.priority ?? 'head' })
  if (response.status === 200) return readHead(response, reference) ?? (await byGet(access, reference, call))
  if (response.status === 405 || response.status === 501) {
    const found = await byGet(access, reference, call)
    access.learn(reference.host, { head: 'refused' })
    return found
  }
  if (response.status === 404) return await byGet(access, reference, call)
  throw answerFault(response, formatReference(reference), access.pausedUntil(reference.host))
}

function readHead(response: HttpResponse, reference: Reference): Head | null {
  const digest = response.headers['docker-content-digest']
  const mediaType = response.headers['content-type']
  if (typeof digest !== 'string' || !isDigest(digest) || mediaType === undefined) return null
  if (reference.digest !== undefined && digest !== reference.digest && sameAlgorithm(digest, reference.digest)) {
    throw new Fault('broken-answer', `${reference.host} answers with ${digest} for ${reference.digest}`)
  }
  return { digest: reference.digest ?? digest, mediaType: bareMediaType(mediaType) }
}

function sameAlgorithm(a: Digest, b: Digest): boolean {
  return a.slice(0, 6) === b.slice(0, 6)
}

async function byGet(access: Access, reference: Reference, call: Call): Promise<Head> {
  const { digest, mediaType, bytes } = await manifest(access, reference, { ...call, priority: call.priority ?? 'head' })
  // Nobody but these bytes says what the tag points at: a login page that answers 200 must not be taken for it.
  parseManifest(bytes, mediaType === '' ? null : mediaType)
  return { digest, mediaType }
}
