import { type Digest, isDigest, parseDigest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { isAskedByGet } from '../core/host-profile.js'
import { parseManifest } from '../core/manifest.js'
import { bareMediaType, manifestAccept } from '../core/media-type.js'
import { formatReference, type Reference } from '../core/reference.js'
import type { HttpResponse } from '../http/send.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import { manifest, manifestPath } from './manifest.js'
import type { Call } from './request.js'

/** What a reference points at. */
export interface Head {
  readonly digest: Digest
  /** As the registry calls it, without parameters; empty where it only said that nothing has changed. */
  readonly mediaType: string
}

/** A host that refused HEAD, or left the digest out, is tried again after this time: a GET may count as a pull. */
const tryHeadAgainMs = 60 * 60_000

/**
 * The truth table of a look:
 *
 * | HEAD answers            | digest header | then                                                       |
 * |-------------------------|---------------|------------------------------------------------------------|
 * | 200                     | valid         | that digest; 1 request                                     |
 * | 200                     | absent, bad   | GET, hash the body; for an hour at once, as above          |
 * | 304                     | –             | what was known: only where the host proved to mean it      |
 * | 404                     | –             | GET, whose body says what is missing                       |
 * | 405, 501                | –             | GET, for an hour at once where HEAD has never worked       |
 * | 401, 403, 429, 5xx …    | –             | the fault: a GET would cost quota and tell nothing more    |
 */
export async function head(access: Access, reference: Reference, call: Call): Promise<Head> {
  const { host } = reference
  const profile = access.profile(host)
  if (isAskedByGet(profile) && access.now() - (profile.headJudgedAt ?? 0) < tryHeadAgainMs)
    return await byGet(access, reference, call)
  const isConditional = call.known !== undefined && profile.conditional === 'honored'
  const response = await sendHead(access, reference, call, isConditional ? call.known : undefined)
  if (response.status === 304 && isConditional && call.known !== undefined) return { digest: call.known, mediaType: '' }
  if (response.status === 200) {
    const found = readHead(response, reference)
    if (found === null) return await withoutDigest(access, reference, call)
    if (profile.head !== 'works' || profile.digestHeader !== 'sent')
      access.learn(host, { head: 'works', digestHeader: 'sent' })
    if (call.known === found.digest && profile.conditional === undefined)
      await learnConditional(access, reference, response, found.digest, call)
    return found
  }
  if (response.status === 405 || response.status === 501) {
    const found = await byGet(access, reference, call)
    // A host whose HEAD has worked has one answer that does not, of a proxy perhaps: not a GET for each look from now on.
    if (profile.head !== 'works') access.learn(host, { head: 'refused', headJudgedAt: access.now() })
    return found
  }
  if (response.status === 404) return await byGet(access, reference, call)
  throw answerFault(response, formatReference(reference), access.pausedUntil(host))
}

async function sendHead(
  access: Access,
  reference: Reference,
  call: Call,
  ifNoneMatch: Digest | undefined,
): Promise<HttpResponse> {
  const path = manifestPath(reference)
  const request = { method: 'HEAD', path, accept: manifestAccept, maxBodyBytes: 0, ifNoneMatch } as const
  return await access.send(reference, request, { ...call, priority: call.priority ?? 'head' })
}

/** Some hosts leave the digest out now and then; one that never sent any is asked by GET from now on. */
async function withoutDigest(access: Access, reference: Reference, call: Call): Promise<Head> {
  const found = await byGet(access, reference, call)
  if (access.profile(reference.host).digestHeader !== 'sent') {
    access.learn(reference.host, { digestHeader: 'missing', headJudgedAt: access.now() })
  }
  return found
}

/** No manifest has this digest. */
const nothing = parseDigest(`sha256:${'0'.repeat(64)}`)

/**
 * Two requests, once for each host: a right digest must give 304 and a wrong one must not. Whoever answers 304 to everything
 * would hide every move.
 */
async function learnConditional(
  access: Access,
  reference: Reference,
  response: HttpResponse,
  digest: Digest,
  call: Call,
): Promise<void> {
  const { host } = reference
  // Said before it is known, so that looks at other tags of the host do not ask the same.
  access.learn(host, { conditional: 'ignored' })
  if (!isTagOf(response.headers.etag, digest)) return
  try {
    const right = await sendHead(access, reference, call, digest)
    const wrong = await sendHead(access, reference, call, nothing)
    if (right.status === 304 && wrong.status === 200) access.learn(host, { conditional: 'honored' })
  } catch (error) {
    // The look itself has its answer. What went wrong here is told by the next look, if it lasts.
    if (!isFault(error) || isFault(error, 'cancelled')) throw error
  }
}

function isTagOf(etag: string | undefined, digest: Digest): boolean {
  return etag !== undefined && etag.replace(/^W\//, '').replaceAll('"', '') === digest
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
